#include "bindings/array_views.hpp"
#include "bindings/bindings.hpp"
#include "npgfast/geometry/conjugate_gradient.hpp"
#include "npgfast/geometry/fisher.hpp"
#include "npgfast/geometry/kl.hpp"
#include "npgfast/geometry/natural_gradient.hpp"
#include "npgfast/geometry/policy_gradient.hpp"
#include "npgfast/geometry/surrogate.hpp"

namespace npgfast::bindings {

namespace {

/// A policy with its probabilities and a summarised batch: what most of the geometry starts from.
struct Setting {
    SoftmaxPolicy policy;
    Reals probs;
    Batch batch;

    Setting(const py::tuple& policy_arrays, const py::array& probs_array, const py::tuple& batch_arrays)
        : policy(policy_view(policy_arrays)),
          probs(view<double>(probs_array, "probs", {policy.n_states, policy.n_actions})),
          batch(batch_view(batch_arrays, policy.n_states, policy.n_actions)) {}
    BatchSummary summary() const { return summarize(batch, policy.n_states, policy.n_actions); }
};

py::array bind_policy_gradient(const py::tuple& policy, const py::array& probs, const py::tuple& batch) {
    const Setting setting(policy, probs, batch);
    std::vector<double> gradient;
    {
        const py::gil_scoped_release release;
        gradient = policy_gradient(setting.policy, setting.probs, setting.summary());
    }
    return to_array(std::move(gradient));
}

py::array bind_fisher_vector_product(const py::tuple& policy, const py::array& probs, const py::tuple& batch,
                                     const py::array& vector_array, int estimator, double damping) {
    const Setting setting(policy, probs, batch);
    const Reals vector = view<double>(vector_array, "vector", {setting.policy.n_params});
    std::vector<double> result(vector.size());
    {
        const py::gil_scoped_release release;
        const BatchSummary summary = setting.summary();
        FisherOperator(setting.policy, setting.probs, summary, static_cast<Estimator>(estimator), damping)
            .multiply(vector, result);
    }
    return to_array(std::move(result));
}

py::array bind_fisher_matrix(const py::tuple& policy, const py::array& probs, const py::tuple& batch, int estimator) {
    const Setting setting(policy, probs, batch);
    const Index d = setting.policy.n_params;
    std::vector<double> matrix;
    {
        const py::gil_scoped_release release;
        const BatchSummary summary = setting.summary();
        matrix = FisherOperator(setting.policy, setting.probs, summary, static_cast<Estimator>(estimator), 0.0).dense();
    }
    return to_array(std::move(matrix), {d, d});
}

py::tuple bind_natural_gradient(const py::tuple& policy, const py::array& probs, const py::tuple& batch, int method,
                                int estimator, double damping, double rtol) {
    const Setting setting(policy, probs, batch);
    const NaturalGradientOptions options{static_cast<Solver>(method), static_cast<Estimator>(estimator), damping, rtol,
                                         0};
    NaturalGradient result;
    {
        const py::gil_scoped_release release;
        const BatchSummary summary = setting.summary();
        const std::vector<double> gradient = policy_gradient(setting.policy, setting.probs, summary);
        result = natural_gradient(setting.policy, setting.probs, summary, gradient, options);
    }
    return py::make_tuple(to_array(std::move(result.direction)), static_cast<int>(result.status), result.residual_norm,
                          result.iterations, result.rank);
}

py::tuple bind_surrogate(const py::tuple& policy_arrays, const py::array& log_probs_array, const py::array& probs_array,
                         const py::tuple& batch_arrays, double clip_range) {
    const Setting setting(policy_arrays, probs_array, batch_arrays);
    const Reals log_probs =
        view<double>(log_probs_array, "log_probs", {setting.policy.n_states, setting.policy.n_actions});
    if (setting.batch.log_probs.empty()) throw py::value_error("batch.log_probs: needed, got None");
    Surrogate result;
    {
        const py::gil_scoped_release release;
        const PolicyTable table{{log_probs.begin(), log_probs.end()}, {setting.probs.begin(), setting.probs.end()}};
        result = surrogate(setting.policy, table, setting.batch, clip_range);
    }
    return py::make_tuple(result.value, to_array(std::move(result.gradient)), result.clip_fraction, result.approx_kl);
}

double bind_mean_kl(const py::tuple& old_table, const py::tuple& new_table, const py::array& state_weights_array) {
    const auto table = [&](const py::tuple& arrays, const char* name) {
        const auto n_states = state_weights_array.size();
        if (arrays.size() != 2) throw py::value_error(std::string(name) + ": expected (log_probs, probs)");
        const auto log_probs = view<double>(as_array(arrays[0], name), name, {n_states, kAny});
        const auto probs = view<double>(as_array(arrays[1], name), name, {n_states, kAny});
        if (probs.size() != log_probs.size()) throw py::value_error(std::string(name) + ": tables of unequal size");
        return PolicyTable{{log_probs.begin(), log_probs.end()}, {probs.begin(), probs.end()}};
    };
    const PolicyTable old_policy = table(old_table, "old"), new_policy = table(new_table, "new");
    if (old_policy.probs.size() != new_policy.probs.size())
        throw py::value_error("new: expected as many actions as old");
    const Reals state_weights = view<double>(state_weights_array, "state_weights", {kAny});
    const Index n_actions = std::ssize(old_policy.probs) / std::max<Index>(std::ssize(state_weights), 1);
    return mean_kl(old_policy, new_policy, state_weights, n_actions);
}

py::tuple bind_conjugate_gradient(const py::object& apply, const py::array& b_array, const py::array& start_array,
                                  Index max_iterations, double rtol) {
    const Reals b = view<double>(b_array, "b", {kAny});
    const Reals start = view<double>(start_array, "x0", {b_array.size()});
    std::vector<double> x(start.begin(), start.end());
    const CgOutcome outcome = conjugate_gradient(
        [&](Reals v, MutableReals out) {
            const py::array image = as_array(apply(to_array(std::vector<double>(v.begin(), v.end()))), "operator(v)");
            const Reals values = view<double>(image, "operator(v)", {b_array.size()});
            std::copy(values.begin(), values.end(), out.begin());
        },
        b, x, max_iterations, rtol);
    return py::make_tuple(to_array(std::move(x)), outcome.residual_norm, outcome.iterations,
                          static_cast<int>(outcome.status));
}

}  // namespace

void bind_geometry(py::module_& m) {
    m.def("policy_gradient", &bind_policy_gradient, py::arg("policy"), py::arg("probs"), py::arg("batch"));
    m.def("fisher_vector_product", &bind_fisher_vector_product, py::arg("policy"), py::arg("probs"), py::arg("batch"),
          py::arg("vector"), py::arg("estimator"), py::arg("damping"));
    m.def("fisher_matrix", &bind_fisher_matrix, py::arg("policy"), py::arg("probs"), py::arg("batch"),
          py::arg("estimator"));
    m.def("natural_gradient", &bind_natural_gradient, py::arg("policy"), py::arg("probs"), py::arg("batch"),
          py::arg("method"), py::arg("estimator"), py::arg("damping"), py::arg("rtol"));
    m.def("surrogate", &bind_surrogate, py::arg("policy"), py::arg("log_probs"), py::arg("probs"), py::arg("batch"),
          py::arg("clip_range"));
    m.def("mean_kl", &bind_mean_kl, py::arg("old"), py::arg("new"), py::arg("state_weights"));
    m.def("conjugate_gradient", &bind_conjugate_gradient, py::arg("operator"), py::arg("b"), py::arg("x0"),
          py::arg("max_iterations"), py::arg("rtol"));
}

}  // namespace npgfast::bindings
