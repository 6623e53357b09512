#include "bindings/array_views.hpp"
#include "bindings/bindings.hpp"
#include "bindings/interruptible.hpp"
#include "npgfast/updates/ppo.hpp"

namespace npgfast::bindings {

namespace {

PpoOptions ppo_options(const py::dict& given) {
    PpoOptions options;
    const auto read = [&]<class T>(const char* key, T& field) { field = given[key].cast<T>(); };
    read("clip_range", options.clip_range);
    read("learning_rate", options.learning_rate);
    read("entropy_coefficient", options.entropy_coefficient);
    read("max_gradient_norm", options.max_gradient_norm);
    read("target_kl", options.target_kl);
    read("n_epochs", options.n_epochs);
    read("minibatch_size", options.minibatch_size);
    options.normalize = static_cast<Normalize>(given["normalize_advantages"].cast<int>());
    read("adam_beta1", options.adam_beta1);
    read("adam_beta2", options.adam_beta2);
    read("adam_epsilon", options.adam_epsilon);
    read("seed", options.seed);
    read("iteration", options.iteration);
    return options;
}

py::tuple bind_ppo_update(const py::tuple& policy, const py::object& tables, const py::tuple& batch,
                          const py::array& theta_array, py::array first, py::array second, double n_steps,
                          const py::dict& option_values, int n_threads) {
    ModelView model(policy, tables, batch, n_threads);
    if (!model.has_log_probs()) throw py::value_error("batch.log_probs: needed, got None");
    const PpoOptions options = ppo_options(option_values);
    const Reals theta = view<double>(theta_array, "theta", {model.n_params()});
    const AdamState adam{mutable_view<double>(first, "adam_first", {model.n_params()}),
                         mutable_view<double>(second, "adam_second", {model.n_params()}), n_steps};
    const PpoEntries entries{model.weights(), model.advantages(), model.log_probs()};
    UpdateReport report = interruptible([&](const Interrupt& interrupt) {
        return ppo_step({model.model(), theta}, entries, options, adam, interrupt);
    });
    return py::make_tuple(to_array(std::move(report.theta)), static_cast<int>(report.status), n_steps,
                          report.gradient_norm, report.kl, report.surrogate, report.clip_fraction);
}

}  // namespace

void bind_updates(py::module_& m) {
    m.def("ppo_update", &bind_ppo_update, py::arg("policy"), py::arg("tables"), py::arg("batch"), py::arg("theta"),
          py::arg("adam_first"), py::arg("adam_second"), py::arg("adam_steps"), py::arg("options"),
          py::arg("n_threads"));
}

}  // namespace npgfast::bindings
