#include "bindings/array_views.hpp"

#include <optional>

namespace npgfast::bindings {

namespace {

py::array item(const py::tuple& arrays, std::size_t k, const char* name) {
    if (k >= arrays.size()) throw py::value_error(std::string(name) + ": missing from its tuple");
    return as_array(arrays[k], name);
}

template <class T>
T number(const py::tuple& arrays, std::size_t k, const char* name) {
    if (k >= arrays.size()) throw py::value_error(std::string(name) + ": missing from its tuple");
    try {
        return arrays[k].cast<T>();
    } catch (const py::cast_error&) {
        throw py::type_error(std::string(name) + ": expected a number");
    }
}

/// The item at k, or nothing if it is None.
std::optional<py::array> optional_item(const py::tuple& arrays, std::size_t k, const char* name) {
    if (k < arrays.size() && arrays[k].is_none()) return std::nullopt;
    return item(arrays, k, name);
}

}  // namespace

TabularMdp mdp_view(const py::tuple& arrays) {
    TabularMdp mdp;
    const py::array rewards = item(arrays, 4, "rewards");
    if (rewards.ndim() != 2 || rewards.size() == 0) throw py::value_error("rewards: expected a non-empty (S, A) array");
    const Index n_states = rewards.shape(0), n_actions = rewards.shape(1), n_pairs = n_states * n_actions;
    mdp.n_states = n_states;
    mdp.n_actions = n_actions;
    mdp.rewards = view<double>(rewards, "rewards", {n_states, n_actions});
    mdp.indptr = view<std::int64_t>(item(arrays, 0, "indptr"), "indptr", {n_pairs + 1});
    if (mdp.indptr[0] != 0) throw py::value_error("indptr[0]: expected 0");
    for (Index row = 0; row < n_pairs; ++row)
        if (mdp.indptr[row] > mdp.indptr[row + 1])
            throw py::value_error("indptr[" + std::to_string(row + 1) + "]: decreases");
    const Index n_entries = mdp.indptr[n_pairs];
    mdp.indices = index_view(item(arrays, 1, "indices"), "indices", n_entries, n_states);
    mdp.probabilities = view<double>(item(arrays, 2, "probabilities"), "probabilities", {n_entries});
    mdp.termination = view<double>(item(arrays, 3, "termination"), "termination", {n_states, n_actions});
    mdp.initial = view<double>(item(arrays, 5, "initial_distribution"), "initial_distribution", {n_states});
    mdp.mask = view<std::uint8_t>(item(arrays, 6, "action_mask"), "action_mask", {n_states, n_actions});
    mdp.gamma = number<double>(arrays, 7, "gamma");
    mdp.horizon = number<Index>(arrays, 8, "horizon");
    if (mdp.horizon < 0) throw py::value_error("horizon: negative");
    for (Index row = 0; row < n_pairs; ++row)
        if (mdp.mask[row] && mdp.indptr[row] == mdp.indptr[row + 1] && !(mdp.termination[row] > 0.0))
            throw py::value_error("indptr: the allowed pair " + std::to_string(row) + " leads nowhere");
    return mdp;
}

SoftmaxPolicy policy_view(const py::tuple& arrays) {
    SoftmaxPolicy policy;
    const py::array mask = item(arrays, 2, "action_mask");
    if (mask.ndim() != 2 || mask.size() == 0) throw py::value_error("action_mask: expected a non-empty (S, A) array");
    policy.n_states = mask.shape(0);
    policy.n_actions = mask.shape(1);
    policy.n_params = policy.n_pairs();
    policy.mask = view<std::uint8_t>(mask, "action_mask", {policy.n_states, policy.n_actions});
    if (const auto features = optional_item(arrays, 0, "features")) {
        if (features->ndim() != 3 || features->size() == 0)
            throw py::value_error("features: expected a non-empty (S, A, d) array");
        policy.n_params = features->shape(2);
        policy.features = view<double>(*features, "features", {policy.n_states, policy.n_actions, policy.n_params});
    }
    if (const auto offset = optional_item(arrays, 1, "offset"))
        policy.offset = view<double>(*offset, "offset", {policy.n_states, policy.n_actions});
    return policy;
}

Batch batch_view(const py::tuple& arrays, Index n_states, Index n_actions) {
    const py::array states = item(arrays, 0, "states");
    const Index n = states.size();
    Batch batch;
    batch.states = index_view(states, "states", n, n_states);
    batch.actions = index_view(item(arrays, 1, "actions"), "actions", n, n_actions);
    batch.weights = view<double>(item(arrays, 2, "weights"), "weights", {n});
    batch.advantages = view<double>(item(arrays, 3, "advantages"), "advantages", {n});
    if (const auto log_probs = optional_item(arrays, 4, "log_probs"))
        batch.log_probs = view<double>(*log_probs, "log_probs", {n});
    batch.effective_horizon = number<double>(arrays, 5, "effective_horizon");
    batch.exhaustive = number<bool>(arrays, 6, "exhaustive");
    if (batch.exhaustive && n % n_actions != 0)
        throw py::value_error("states: an exhaustive batch lists every action of each of its rows");
    return batch;
}

}  // namespace npgfast::bindings
