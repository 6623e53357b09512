#include "bindings/array_views.hpp"
#include "bindings/bindings.hpp"
#include "npgfast/geometry/conjugate_gradient.hpp"
#include "npgfast/geometry/kl.hpp"

namespace npgfast::bindings {

namespace {

py::array bind_policy_gradient(const py::tuple& policy, const py::object& tables, const py::tuple& batch,
                               int n_threads) {
    ModelView view(policy, tables, batch, n_threads);
    std::vector<double> gradient;
    {
        const py::gil_scoped_release release;
        gradient = view.model().gradient();
    }
    return to_array(std::move(gradient));
}

py::array bind_fisher_vector_product(const py::tuple& policy, const py::object& tables, const py::tuple& batch,
                                     const py::array& vector_array, int estimator, double damping, int n_threads) {
    ModelView setting(policy, tables, batch, n_threads);
    const Reals vector = view<double>(vector_array, "vector", {setting.n_params()});
    std::vector<double> result(vector.size());
    {
        const py::gil_scoped_release release;
        setting.model().fisher_product(vector, static_cast<Estimator>(estimator), damping, result);
    }
    return to_array(std::move(result));
}

py::array bind_fisher_matrix(const py::tuple& policy, const py::object& tables, const py::tuple& batch,
                             int estimator, int n_threads) {
    ModelView view(policy, tables, batch, n_threads);
    std::vector<double> matrix;
    {
        const py::gil_scoped_release release;
        matrix = view.model().fisher_matrix(static_cast<Estimator>(estimator));
    }
    return to_array(std::move(matrix), {view.n_params(), view.n_params()});
}

py::tuple bind_natural_gradient(const py::tuple& policy, const py::object& tables, const py::tuple& batch, int method,
                                int estimator, double damping, double rtol, Index max_iterations, int n_threads) {
    ModelView view(policy, tables, batch, n_threads);
    const NaturalGradientOptions options{static_cast<Solver>(method), static_cast<Estimator>(estimator), damping, rtol,
                                         max_iterations};
    NaturalGradient result;
    {
        const py::gil_scoped_release release;
        const LocalModel& model = view.model();
        result = model.natural_gradient(model.gradient(), options);
    }
    return py::make_tuple(to_array(std::move(result.direction)), static_cast<int>(result.status), result.residual_norm,
                          result.iterations, result.rank);
}

py::tuple bind_surrogate(const py::tuple& policy, const py::object& tables, const py::tuple& batch, double clip_range,
                         int n_threads) {
    ModelView view(policy, tables, batch, n_threads);
    if (!view.has_log_probs()) throw py::value_error("batch.log_probs: needed, got None");
    Surrogate result;
    {
        const py::gil_scoped_release release;
        result = view.model().surrogate(clip_range);
    }
    return py::make_tuple(result.value, to_array(std::move(result.gradient)), result.clip_fraction, result.approx_kl);
}

double bind_divergence(const py::tuple& policy, const py::object& tables, const py::tuple& batch,
                       const py::array& theta_array, int n_threads) {
    ModelView view(policy, tables, batch, n_threads);
    const Reals given = npgfast::bindings::view<double>(theta_array, "theta", {view.n_params()});
    std::vector<double> theta(given.begin(), given.end());
    const py::gil_scoped_release release;
    return view.model().move(theta).kl;
}

double bind_gaussian_kl(const py::array& shifts_array, const py::array& old_array, const py::array& new_array,
                        const py::array& weights_array) {
    const Index n = weights_array.size(), k = old_array.size();
    const Reals shifts = view<double>(shifts_array, "shifts", {n, k});
    return mean_kl(shifts, view<double>(old_array, "old_log_std", {k}), view<double>(new_array, "new_log_std", {k}),
                   view<double>(weights_array, "weights", {n}));
}

double bind_mean_kl(const py::tuple& old_table, const py::tuple& new_table, const py::array& state_weights_array) {
    const auto table = [&](const py::tuple& arrays, const char* name) {
        const auto n_states = state_weights_array.size();
        if (arrays.size() != 2) throw py::value_error(std::string(name) + ": expected (log_probs, probs)");
        const auto log_probs = view<double>(as_array(arrays[0], name), name, {n_states, kAny});
        const auto probs = view<double>(as_array(arrays[1], name), name, {n_states, kAny});
        if (probs.size() != log_probs.size()) throw py::value_error(std::string(name) + ": tables of unequal size");
        return PolicyView(log_probs, probs);
    };
    const PolicyView old_policy = table(old_table, "old"), new_policy = table(new_table, "new");
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
    m.def("policy_gradient", &bind_policy_gradient, py::arg("policy"), py::arg("tables"), py::arg("batch"),
          py::arg("n_threads"));
    m.def("fisher_vector_product", &bind_fisher_vector_product, py::arg("policy"), py::arg("tables"), py::arg("batch"),
          py::arg("vector"), py::arg("estimator"), py::arg("damping"), py::arg("n_threads"));
    m.def("fisher_matrix", &bind_fisher_matrix, py::arg("policy"), py::arg("tables"), py::arg("batch"),
          py::arg("estimator"), py::arg("n_threads"));
    m.def("natural_gradient", &bind_natural_gradient, py::arg("policy"), py::arg("tables"), py::arg("batch"),
          py::arg("method"), py::arg("estimator"), py::arg("damping"), py::arg("rtol"),
          py::arg("max_iterations"), py::arg("n_threads"));
    m.def("surrogate", &bind_surrogate, py::arg("policy"), py::arg("tables"), py::arg("batch"),
          py::arg("clip_range"), py::arg("n_threads"));
    m.def("divergence", &bind_divergence, py::arg("policy"), py::arg("tables"), py::arg("batch"), py::arg("theta"),
          py::arg("n_threads"));
    m.def("mean_kl", &bind_mean_kl, py::arg("old"), py::arg("new"), py::arg("state_weights"));
    m.def("gaussian_kl", &bind_gaussian_kl, py::arg("shifts"), py::arg("old_log_std"), py::arg("new_log_std"),
          py::arg("weights"));
    m.def("conjugate_gradient", &bind_conjugate_gradient, py::arg("operator"), py::arg("b"), py::arg("x0"),
          py::arg("max_iterations"), py::arg("rtol"));
}

}  // namespace npgfast::bindings
