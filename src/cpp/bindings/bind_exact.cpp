#include "bindings/array_views.hpp"
#include "bindings/bindings.hpp"
#include "bindings/interruptible.hpp"
#include "npgfast/exact/evaluation.hpp"
#include "npgfast/exact/optimality.hpp"

namespace npgfast::bindings {

namespace {

/// (S, ...) without a horizon, (H, S, ...) with one.
std::vector<py::ssize_t> time_shape(const TabularMdp& mdp, bool per_action) {
    std::vector<py::ssize_t> shape{mdp.n_states};
    if (mdp.horizon > 0) shape.insert(shape.begin(), mdp.horizon);
    if (per_action) shape.push_back(mdp.n_actions);
    return shape;
}

py::tuple bind_evaluate(const py::tuple& mdp_arrays, const py::array& probs_array, const py::array& log_probs_array,
                        double tau, int method, int n_threads) {
    const TabularMdp mdp = mdp_view(mdp_arrays);
    const bool timed = probs_array.ndim() == 3;
    if (timed && mdp.horizon == 0) throw py::value_error("probs: a policy that depends on time needs a horizon");
    const auto probs = timed ? view<double>(probs_array, "probs", {mdp.horizon, mdp.n_states, mdp.n_actions})
                             : view<double>(probs_array, "probs", {mdp.n_states, mdp.n_actions});
    const auto log_probs = timed
                               ? view<double>(log_probs_array, "log_probs", {mdp.horizon, mdp.n_states, mdp.n_actions})
                               : view<double>(log_probs_array, "log_probs", {mdp.n_states, mdp.n_actions});
    const bool is_dense = mdp.n_states <= 128 && mdp.horizon == 0;
    Evaluation result = interruptible(
        [&](const Interrupt& interrupt) {
            Team team(team_size(mdp, n_threads));
            return evaluate(mdp, probs, log_probs, tau, static_cast<LinearMethod>(method), team, interrupt);
        },
        is_dense ? 2e-3 + 10e-9 * static_cast<double>(mdp.probabilities.size()) : HUGE_VAL);
    return py::make_tuple(result.objective, to_array(std::move(result.values), time_shape(mdp, false)),
                          to_array(std::move(result.action_values), time_shape(mdp, true)),
                          to_array(std::move(result.advantages), time_shape(mdp, true)),
                          to_array(std::move(result.occupancy), time_shape(mdp, false)), result.effective_horizon,
                          result.residual);
}

py::tuple bind_solve(const py::tuple& mdp_arrays, double tau, double tol, int method, Index max_iterations,
                     int n_threads) {
    const TabularMdp mdp = mdp_view(mdp_arrays);
    Optimum result = interruptible([&](const Interrupt& interrupt) {
        Team team(team_size(mdp, n_threads));
        return solve(mdp, tau, tol, static_cast<OptimalityMethod>(method), max_iterations, team, interrupt);
    });
    return py::make_tuple(result.objective, to_array(std::move(result.values), time_shape(mdp, false)),
                          to_array(std::move(result.action_values), time_shape(mdp, true)),
                          to_array(std::move(result.actions), time_shape(mdp, false)), result.lower, result.upper,
                          result.iterations, result.converged);
}

}  // namespace

void bind_exact(py::module_& m) {
    m.def("evaluate", &bind_evaluate, py::arg("mdp"), py::arg("probs"), py::arg("log_probs"), py::arg("tau"),
          py::arg("method"), py::arg("n_threads"));
    m.def("solve", &bind_solve, py::arg("mdp"), py::arg("tau"), py::arg("tol"), py::arg("method"),
          py::arg("max_iterations"), py::arg("n_threads"));
}

}  // namespace npgfast::bindings
