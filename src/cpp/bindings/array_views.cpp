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

constexpr Index kMany = Index{1} << 31;

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

namespace {

SoftmaxPolicy shared_policy_view(const py::tuple& arrays) {
    SoftmaxPolicy policy;
    const py::array features = item(arrays, 0, "features");
    policy.n_actions = number<Index>(arrays, 2, "n_actions");
    if (features.ndim() != 2 || features.size() == 0 || policy.n_actions < 1 || policy.n_actions > kMany)
        throw py::value_error("features, n_actions: expected a non-empty (S, m) array and a number of actions");
    policy.n_states = features.shape(0);
    policy.n_shared_features = features.shape(1);
    policy.n_params = policy.n_shared_features * policy.n_actions;
    policy.features = view<double>(features, "features", {policy.n_states, policy.n_shared_features});
    return policy;
}

}  // namespace

SoftmaxPolicy policy_view(const py::tuple& arrays) {
    if (arrays.size() == 3 && py::isinstance<py::int_>(arrays[2])) return shared_policy_view(arrays);
    SoftmaxPolicy policy;
    const py::array mask = item(arrays, 2, "action_mask");
    if (mask.ndim() != 2 || mask.size() == 0) throw py::value_error("action_mask: expected a non-empty (S, A) array");
    policy.n_states = mask.shape(0);
    policy.n_actions = mask.shape(1);
    policy.n_params = policy.n_pairs();
    policy.mask = view<std::uint8_t>(mask, "action_mask", {policy.n_states, policy.n_actions});
    if (const auto features = optional_item(arrays, 0, "features")) {
        if ((features->ndim() != 3 && features->ndim() != 2) || features->size() == 0)
            throw py::value_error("features: expected a non-empty (S, A, d) or (S, m) array");
        if (features->ndim() == 2) {
            policy.n_shared_features = features->shape(1);
            policy.n_params = policy.n_shared_features * policy.n_actions;
            policy.features = view<double>(*features, "features", {policy.n_states, policy.n_shared_features});
        } else {
            policy.n_params = features->shape(2);
            policy.features = view<double>(*features, "features", {policy.n_states, policy.n_actions, policy.n_params});
        }
    }
    if (const auto offset = optional_item(arrays, 1, "offset"))
        policy.offset = view<double>(*offset, "offset", {policy.n_states, policy.n_actions});
    return policy;
}

Batch batch_view(const py::tuple& arrays, Index n_states, Index n_actions) {
    Batch batch;
    Index n = n_states;
    if (const auto states = optional_item(arrays, 0, "states")) {
        n = states->size();
        batch.states = index_view(*states, "states", n, n_states);
    }
    batch.actions = index_view(item(arrays, 1, "actions"), "actions", n, n_actions);
    batch.weights = view<double>(item(arrays, 2, "weights"), "weights", {n});
    batch.advantages = view<double>(item(arrays, 3, "advantages"), "advantages", {n});
    if (const auto log_probs = optional_item(arrays, 4, "log_probs"))
        batch.log_probs = view<double>(*log_probs, "log_probs", {n});
    batch.effective_horizon = number<double>(arrays, 5, "effective_horizon");
    batch.exhaustive = number<bool>(arrays, 6, "exhaustive");
    if (batch.exhaustive && (batch.states.empty() || n % n_actions != 0))
        throw py::value_error("states: an exhaustive batch lists every action of each of its rows");
    return batch;
}

ModelView::ModelView(const py::tuple& policy, const py::object& tables, const py::tuple& batch, int n_threads)
    : is_gaussian_(tables.is_none()), team_(checked_threads(n_threads)) {
    if (!is_gaussian_) {
        softmax_ = policy_view(policy);
        const auto table = tables.cast<py::tuple>();
        const auto table_view = [&](std::size_t k, const char* name) {
            return view<double>(item(table, k, name), name, {softmax_.n_states, softmax_.n_actions});
        };
        table_ = {table_view(0, "log_probs"), table_view(1, "probs")};
        entries_ = batch_view(batch, softmax_.n_states, softmax_.n_actions);
        if (entries_.states.empty() && softmax_.n_shared_features == 0)
            throw py::value_error("states: missing; only a policy with shared features can do without");
        return;
    }
    const py::array features = item(policy, 0, "features"), actions = item(batch, 1, "actions");
    if (features.ndim() != 2 || actions.ndim() != 2 || features.size() == 0 || actions.size() == 0)
        throw py::value_error("features, actions: expected non-empty (n, m) and (n, k) arrays");
    const Index n = features.shape(0);
    gaussian_.n_rows = n;
    gaussian_.n_features = features.shape(1);
    gaussian_.action_size = actions.shape(1);
    gaussian_.features = view<double>(features, "features", {n, gaussian_.n_features});
    theta_ = view<double>(item(policy, 1, "theta"), "theta", {gaussian_.n_params()});
    gaussian_.log_std_min = number<double>(policy, 2, "log_std_min");
    gaussian_.log_std_max = number<double>(policy, 3, "log_std_max");
    rows_.actions = view<double>(actions, "actions", {n, gaussian_.action_size});
    rows_.weights = view<double>(item(batch, 2, "weights"), "weights", {n});
    rows_.advantages = view<double>(item(batch, 3, "advantages"), "advantages", {n});
    if (const auto log_probs = optional_item(batch, 4, "log_probs"))
        rows_.log_probs = view<double>(*log_probs, "log_probs", {n});
    rows_.effective_horizon = number<double>(batch, 5, "effective_horizon");
}

const LocalModel& ModelView::model() {
    if (model_) return *model_;
    if (is_gaussian_) {
        model_ = std::make_unique<GaussianModel>(gaussian_, theta_, rows_, team_);
    } else {
        summary_ = summarize(entries_, softmax_.n_states, softmax_.n_actions);
        model_ = std::make_unique<SoftmaxModel>(softmax_, table_, summary_, &entries_, team_);
    }
    return *model_;
}

namespace {

/// How many integers and reals a feature map of this kind has, and its number of features; see features.hpp.
void check_feature_map(const FeatureMap& map) {
    const Index dim = map.observation_size, n_integers = std::ssize(map.integers), n_reals = std::ssize(map.reals);
    const auto require = [](bool holds, const char* what) {
        if (!holds) throw py::value_error(std::string("feature map: ") + what);
    };
    require(dim > 0 && map.n_features > 0, "sizes must be positive");
    const bool has_bias = n_integers > 0 && map.integers[0] == 1;
    switch (map.kind) {
        case FeatureKind::linear:
            require(n_integers == 1 && map.n_features == dim + has_bias, "linear: wrong table");
            return;
        case FeatureKind::monomials: {
            const Index n = map.n_features - 1;
            require(n_integers == 2 * n, "monomials: expected two integers for each but the first");
            for (Index k = 0; k < n; ++k)
                require(map.integers[k] >= 0 && map.integers[k] <= k && map.integers[n + k] >= 0 &&
                            map.integers[n + k] < dim,
                        "monomials: a parent or variable out of range");
            return;
        }
        case FeatureKind::waves: {
            const Index n = map.n_features - has_bias;
            require(n_integers == 1 && n >= 0 && n_reals == n * (dim + 1), "waves: wrong tables");
            return;
        }
        case FeatureKind::tiles: {
            require(n_integers == dim + 1 && map.integers[0] > 0, "tiles: wrong table of integers");
            const Index n_tilings = map.integers[0];
            require(n_reals == dim * (2 + n_tilings), "tiles: wrong table of reals");
            Index size = n_tilings;
            for (Index j = 1; j <= dim; ++j) {
                require(map.integers[j] > 0 && size <= map.n_features / map.integers[j], "tiles: too many tiles");
                size *= map.integers[j];
            }
            require(size == map.n_features, "tiles: wrong number of features");
            return;
        }
    }
    throw py::value_error("feature map: unknown kind");
}

}  // namespace

LinearPolicy linear_policy_view(const py::tuple& arrays) {
    LinearPolicy policy;
    FeatureMap& map = policy.features;
    map.kind = static_cast<FeatureKind>(number<int>(arrays, 0, "kind"));
    map.integers = view<std::int32_t>(item(arrays, 1, "integers"), "integers", {kAny});
    map.reals = view<double>(item(arrays, 2, "reals"), "reals", {kAny});
    map.observation_size = number<Index>(arrays, 3, "observation_size");
    map.n_features = number<Index>(arrays, 4, "n_features");
    check_feature_map(map);
    if (const auto mean = optional_item(arrays, 5, "mean")) {
        policy.normalizer.mean = view<double>(*mean, "mean", {map.observation_size});
        policy.normalizer.scale = view<double>(item(arrays, 6, "scale"), "scale", {map.observation_size});
        policy.normalizer.limit = number<double>(arrays, 7, "limit");
        if (!(policy.normalizer.limit > 0.0)) throw py::value_error("limit: expected a positive number");
    }
    policy.n_actions = number<Index>(arrays, 8, "n_actions");
    policy.action_size = number<Index>(arrays, 9, "action_size");
    policy.log_std_min = number<double>(arrays, 10, "log_std_min");
    policy.log_std_max = number<double>(arrays, 11, "log_std_max");
    if (policy.n_actions < 0 || policy.action_size < 1 || policy.n_outputs() >= kMany || map.n_features >= kMany ||
        (policy.n_actions > 0 && policy.action_size != 1) || !(policy.log_std_min <= policy.log_std_max))
        throw py::value_error("policy: sizes or bounds out of range");
    return policy;
}

}  // namespace npgfast::bindings
