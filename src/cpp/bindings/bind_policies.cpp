#include "bindings/array_views.hpp"
#include "bindings/bindings.hpp"
#include "npgfast/sampling/tabular_simulator.hpp"

namespace npgfast::bindings {

namespace {

py::tuple bind_log_softmax(const py::array& logits_array, const py::array& mask_array) {
    const Reals logits = view<double>(logits_array, "logits", {kAny, kAny});
    const Index n_rows = logits_array.shape(0), n_actions = logits_array.shape(1);
    const Flags mask = view<std::uint8_t>(mask_array, "action_mask", {n_rows, n_actions});
    Buffer<double> log_probs(n_rows * n_actions), probs(n_rows * n_actions);
    {
        const py::gil_scoped_release release;
        log_softmax(logits, mask, n_actions, log_probs, probs);
    }
    return py::make_tuple(to_array<double>(std::move(log_probs), {n_rows, n_actions}),
                          to_array<double>(std::move(probs), {n_rows, n_actions}));
}

py::tuple bind_policy_table(const py::tuple& policy_arrays, const py::array& theta_array, int n_threads) {
    const SoftmaxPolicy policy = policy_view(policy_arrays);
    const Reals theta = view<double>(theta_array, "theta", {policy.n_params});
    Team team(checked_threads(n_threads));
    Buffer<double> log_probs(policy.n_pairs()), probs(policy.n_pairs());
    {
        const py::gil_scoped_release release;
        policy_table(policy, theta, log_probs, probs, team);
    }
    return py::make_tuple(to_array<double>(std::move(log_probs), {policy.n_states, policy.n_actions}),
                          to_array<double>(std::move(probs), {policy.n_states, policy.n_actions}));
}

py::array bind_scores(const py::tuple& policy_arrays, const py::array& probs_array, const py::array& states_array,
                      const py::array& actions_array) {
    const SoftmaxPolicy policy = policy_view(policy_arrays);
    const Reals probs = view<double>(probs_array, "probs", {policy.n_states, policy.n_actions});
    const Index n = states_array.size();
    const Integers states = index_view(states_array, "states", n, policy.n_states);
    const Integers actions = index_view(actions_array, "actions", n, policy.n_actions);
    std::vector<double> result(static_cast<std::size_t>(n * policy.n_params));
    {
        const py::gil_scoped_release release;
        scores(policy, probs, states, actions, result);
    }
    return to_array(std::move(result), {n, policy.n_params});
}

py::array bind_sample_actions(const py::array& probs_array, const py::array& states_array, std::uint64_t seed) {
    const Reals probs = view<double>(probs_array, "probs", {kAny, kAny});
    const Index n_states = probs_array.shape(0), n_actions = probs_array.shape(1);
    const Integers states = index_view(states_array, "states", states_array.size(), n_states);
    std::vector<std::int32_t> actions;
    {
        const py::gil_scoped_release release;
        AliasTable table;
        AliasScratch scratch;
        build_policy_table(probs, n_actions, table, scratch);
        actions = sample_actions(table, states, seed);
    }
    return to_array(std::move(actions));
}

/// Features (n, m), theta and actions (n, k) of a Gaussian policy.
struct GaussianPairs {
    GaussianPolicy policy;
    Reals theta, actions;

    GaussianPairs(const py::array& features_array, const py::array& theta_array, const py::array& actions_array) {
        actions = view<double>(actions_array, "actions", {kAny, kAny});
        policy.n_rows = actions_array.shape(0);
        policy.action_size = actions_array.shape(1);
        policy.features = view<double>(features_array, "features", {policy.n_rows, kAny});
        policy.n_features = features_array.shape(1);
        if (policy.action_size < 1 || policy.n_features < 1) throw py::value_error("features, actions: empty rows");
        theta = view<double>(theta_array, "theta", {policy.n_params()});
    }
};

py::array bind_gaussian_log_probs(const py::array& features, const py::array& theta, const py::array& actions) {
    const GaussianPairs pairs(features, theta, actions);
    const Index k = pairs.policy.action_size;
    std::vector<double> log_probs(static_cast<std::size_t>(pairs.policy.n_rows));
    {
        const py::gil_scoped_release release;
        Team team(1);
        const std::vector<double> means = pairs.policy.means(pairs.theta, team);
        for (Index i = 0; i < pairs.policy.n_rows; ++i)
            log_probs[i] = gaussian_log_prob(pairs.actions.data() + i * k, means.data() + i * k,
                                             pairs.policy.log_std(pairs.theta));
    }
    return to_array(std::move(log_probs));
}

py::array bind_gaussian_scores(const py::array& features, const py::array& theta, const py::array& actions) {
    const GaussianPairs pairs(features, theta, actions);
    const Index n = pairs.policy.n_rows, d = pairs.policy.n_params();
    std::vector<double> result(static_cast<std::size_t>(n * d));
    {
        const py::gil_scoped_release release;
        gaussian_scores(pairs.policy, pairs.theta, pairs.actions, result);
    }
    return to_array(std::move(result), {n, d});
}

}  // namespace

void bind_policies(py::module_& m) {
    m.def("log_softmax", &bind_log_softmax, py::arg("logits"), py::arg("action_mask"));
    m.def("policy_table", &bind_policy_table, py::arg("policy"), py::arg("theta"), py::arg("n_threads"));
    m.def("scores", &bind_scores, py::arg("policy"), py::arg("probs"), py::arg("states"), py::arg("actions"));
    m.def("sample_actions", &bind_sample_actions, py::arg("probs"), py::arg("states"), py::arg("seed"));
    m.def("gaussian_log_probs", &bind_gaussian_log_probs, py::arg("features"), py::arg("theta"), py::arg("actions"));
    m.def("gaussian_scores", &bind_gaussian_scores, py::arg("features"), py::arg("theta"), py::arg("actions"));
}

}  // namespace npgfast::bindings
