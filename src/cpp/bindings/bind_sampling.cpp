#include "bindings/array_views.hpp"
#include "bindings/bindings.hpp"
#include "bindings/interruptible.hpp"
#include "npgfast/base/philox.hpp"
#include "npgfast/geometry/least_squares.hpp"
#include "npgfast/sampling/baseline.hpp"
#include "npgfast/sampling/returns.hpp"
#include "npgfast/sampling/sample.hpp"

namespace npgfast::bindings {

namespace {

py::array bind_philox(const py::array& counters_array, const py::array& key_array) {
    const auto counters = view<std::uint32_t>(counters_array, "counters", {kAny, 4});
    const auto key = view<std::uint32_t>(key_array, "key", {2});
    std::vector<std::uint32_t> words;
    words.reserve(counters.size());
    for (std::size_t i = 0; i < counters.size(); i += 4)
        for (std::uint32_t word :
             philox({counters[i], counters[i + 1], counters[i + 2], counters[i + 3]}, {key[0], key[1]}))
            words.push_back(word);
    return to_array(std::move(words), {counters_array.shape(0), 4});
}

py::tuple bind_alias_table(const py::array& probabilities_array) {
    const Reals probabilities = view<double>(probabilities_array, "probabilities", {kAny, kAny});
    const Index n = probabilities_array.shape(0), k = probabilities_array.shape(1);
    const std::vector<AliasColumn> table = policy_alias_table(probabilities, k);
    std::vector<std::uint64_t> threshold;
    std::vector<std::int32_t> own, other;
    for (const AliasColumn& column : table) {
        threshold.push_back(column.threshold);
        own.push_back(column.own);
        other.push_back(column.other);
    }
    return py::make_tuple(to_array(std::move(threshold), {n, k}), to_array(std::move(own), {n, k}),
                          to_array(std::move(other), {n, k}));
}

void check_lengths(Index n_envs, Index n_steps, int n_threads) {
    if (n_envs < 1) throw py::value_error("n_envs: expected at least 1");
    if (n_steps < 0) throw py::value_error("n_steps: expected at least 0");
    if (n_threads < 1) throw py::value_error("n_threads: expected at least 1");
}

py::tuple bind_rollout(const py::tuple& mdp_arrays, const py::array& probs_array, Index n_envs, Index n_steps,
                       std::uint64_t seed, int n_threads) {
    const TabularMdp mdp = mdp_view(mdp_arrays);
    const Reals probs = view<double>(probs_array, "probs", {mdp.n_states, mdp.n_actions});
    check_lengths(n_envs, n_steps, n_threads);
    RolloutOptions options = rollout_for(mdp, StateWeights::uniform, n_envs, n_steps);
    options.seed = seed;
    options.n_threads = n_threads;
    Rollout result = interruptible([&](const Interrupt& interrupt) {
        return rollout(TabularSimulator(mdp), policy_alias_table(probs, mdp.n_actions), options, {}, interrupt);
    });
    return py::make_tuple(to_array(std::vector<std::int64_t>(result.offsets.begin(), result.offsets.end())),
                          to_array(std::move(result.states)), to_array(std::move(result.actions)),
                          to_array(std::move(result.next_states)), to_array(std::move(result.time)),
                          to_array(std::move(result.flags)));
}

py::tuple bind_sample(const py::tuple& mdp_arrays, const py::array& probs_array, const py::array& log_probs_array,
                      Index n_envs, Index n_steps, int state_weights, double gae_lambda, const py::object& baseline,
                      double tau, std::uint64_t seed, int n_threads) {
    const TabularMdp mdp = mdp_view(mdp_arrays);
    const Reals probs = view<double>(probs_array, "probs", {mdp.n_states, mdp.n_actions});
    const Reals log_probs = view<double>(log_probs_array, "log_probs", {mdp.n_states, mdp.n_actions});
    SampleOptions weighing{static_cast<StateWeights>(state_weights), gae_lambda, {}, tau, log_probs};
    if (!baseline.is_none())
        weighing.baseline = view<double>(as_array(baseline, "baseline"), "baseline",
                                         {std::max<Index>(mdp.horizon, 1) * mdp.n_states});
    check_lengths(n_envs, n_steps, n_threads);
    RolloutOptions options = rollout_for(mdp, weighing.state_weights, n_envs, n_steps);
    options.seed = seed;
    options.n_threads = n_threads;
    Rollout played;
    Sample sample = interruptible([&](const Interrupt& interrupt) {
        played = rollout(TabularSimulator(mdp), policy_alias_table(probs, mdp.n_actions), options, {}, interrupt);
        return weigh(mdp, played, weighing, interrupt);
    });
    return py::make_tuple(to_array(std::move(played.states)), to_array(std::move(played.actions)),
                          to_array(std::move(sample.weights)), to_array(std::move(sample.advantages)),
                          to_array(std::move(sample.returns)), to_array(std::move(played.time)),
                          sample.mass / static_cast<double>(std::max<Index>(sample.n_started, 1)), sample.return_mean);
}

/// The steps of `gae` and `discounted_returns`; None for values or bootstrap values stands for zeros.
Steps steps_view(const py::array& rewards_array, const py::object& values, const py::array& terminated,
                 const py::array& truncated, const py::object& bootstrap) {
    Steps steps;
    steps.rewards = view<double>(rewards_array, "rewards", {kAny, kAny}).data();
    steps.n_steps = rewards_array.shape(0);
    steps.n_envs = rewards_array.shape(1);
    const std::initializer_list<Index> shape{steps.n_steps, steps.n_envs};
    if (!values.is_none()) steps.values = view<double>(as_array(values, "values"), "values", shape).data();
    steps.terminated = view<std::uint8_t>(terminated, "terminated", shape).data();
    steps.truncated = view<std::uint8_t>(truncated, "truncated", shape).data();
    if (!bootstrap.is_none())
        steps.bootstrap = view<double>(as_array(bootstrap, "bootstrap_values"), "bootstrap_values", shape).data();
    return steps;
}

py::tuple bind_gae(const py::array& rewards, const py::array& values, const py::array& terminated,
                   const py::array& truncated, const py::array& bootstrap, double gamma, double lambda,
                   int n_threads) {
    const Steps steps = steps_view(rewards, values, terminated, truncated, bootstrap);
    if (n_threads < 1) throw py::value_error("n_threads: expected at least 1");
    // One allocation for both: the C library hands it out again and again, while two are given back to the system after
    // each call, and fresh pages cost ten times as much as the estimates.
    py::array_t<double> both({Index{2}, steps.n_steps, steps.n_envs});
    double *const advantages = both.mutable_data(), *const returns = advantages + steps.n_steps * steps.n_envs;
    bool is_finite = false;
    {
        const py::gil_scoped_release release;
        is_finite = generalized_advantages(steps, gamma, lambda, n_threads, advantages, returns);
    }
    const std::vector<py::ssize_t> shape{steps.n_steps, steps.n_envs};
    return py::make_tuple(py::array_t<double>(shape, advantages, both), py::array_t<double>(shape, returns, both),
                          is_finite);
}

py::tuple bind_discounted_returns(const py::array& rewards, const py::array& terminated, const py::array& truncated,
                                  const py::object& bootstrap, double gamma, int n_threads) {
    const Steps steps = steps_view(rewards, py::none(), terminated, truncated, bootstrap);
    if (n_threads < 1) throw py::value_error("n_threads: expected at least 1");
    py::array_t<double> returns({steps.n_steps, steps.n_envs});
    double* const first = returns.mutable_data();
    bool is_finite = false;
    {
        const py::gil_scoped_release release;
        is_finite = generalized_advantages(steps, gamma, 1.0, n_threads, first, nullptr);
    }
    return py::make_tuple(std::move(returns), is_finite);
}

py::array bind_fit_table(const py::array& cells_array, const py::array& targets_array, const py::array& weights_array,
                         const py::array& values_array) {
    const Reals start = view<double>(values_array, "values", {kAny});
    const Index n = cells_array.size();
    const Integers cells = index_view(cells_array, "states", n, std::ssize(start));
    const Reals targets = view<double>(targets_array, "targets", {n});
    const Reals weights = view<double>(weights_array, "weights", {n});
    std::vector<double> values(start.begin(), start.end());
    fit_table(cells, targets, weights, values);
    return to_array(std::move(values));
}

py::tuple bind_least_squares(const py::array& rows_array, const py::array& targets_array, double ridge) {
    const Reals rows = view<double>(rows_array, "rows", {kAny, kAny});
    const Reals targets = view<double>(targets_array, "targets", {rows_array.shape(0)});
    const Index d = rows_array.shape(1);
    LeastSquares result;
    {
        const py::gil_scoped_release release;
        result = least_squares(rows, targets, d, ridge);
    }
    return py::make_tuple(to_array(std::move(result.solution)), result.rank);
}

}  // namespace

void bind_sampling(py::module_& m) {
    m.def("philox", &bind_philox, py::arg("counters"), py::arg("key"));
    m.def("alias_table", &bind_alias_table, py::arg("probabilities"));
    m.def("rollout", &bind_rollout, py::arg("mdp"), py::arg("probs"), py::arg("n_envs"), py::arg("n_steps"),
          py::arg("seed"), py::arg("n_threads"));
    m.def("sample", &bind_sample, py::arg("mdp"), py::arg("probs"), py::arg("log_probs"), py::arg("n_envs"),
          py::arg("n_steps"), py::arg("state_weights"), py::arg("gae_lambda"), py::arg("baseline"), py::arg("tau"),
          py::arg("seed"), py::arg("n_threads"));
    m.def("gae", &bind_gae, py::arg("rewards"), py::arg("values"), py::arg("terminated"), py::arg("truncated"),
          py::arg("bootstrap_values"), py::arg("gamma"), py::arg("gae_lambda"), py::arg("n_threads"));
    m.def("discounted_returns", &bind_discounted_returns, py::arg("rewards"), py::arg("terminated"),
          py::arg("truncated"), py::arg("bootstrap_values"), py::arg("gamma"), py::arg("n_threads"));
    m.def("fit_table", &bind_fit_table, py::arg("states"), py::arg("targets"), py::arg("weights"), py::arg("values"));
    m.def("least_squares", &bind_least_squares, py::arg("rows"), py::arg("targets"), py::arg("ridge"));
}

}  // namespace npgfast::bindings
