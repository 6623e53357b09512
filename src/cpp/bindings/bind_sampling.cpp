#include "bindings/array_views.hpp"
#include "bindings/bindings.hpp"
#include "bindings/interruptible.hpp"
#include "npgfast/base/philox.hpp"
#include "npgfast/geometry/least_squares.hpp"
#include "npgfast/sampling/baseline.hpp"
#include "npgfast/sampling/decode.hpp"
#include "npgfast/sampling/pair_sums.hpp"
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
    const Index n = probabilities_array.shape(0);
    AliasTable table;
    AliasScratch scratch;
    build_policy_table(probabilities, probabilities_array.shape(1), table, scratch);
    std::vector<std::uint32_t> thresholds, outcomes;
    for (const AliasColumn& column : table.columns) {
        thresholds.push_back(column.threshold);
        outcomes.insert(outcomes.end(), {column.below, column.above});
    }
    const Index n_columns = Index{1} << table.bits;
    return py::make_tuple(to_array(std::move(thresholds), {n, n_columns}),
                          to_array(std::move(outcomes), {n, n_columns, 2}));
}

void check_lengths(Index n_envs, Index n_steps, int n_threads) {
    if (n_envs < 1 || n_envs > INT32_MAX) throw py::value_error("n_envs: expected at least 1 and below 2**31");
    if (n_steps < 0 || n_steps > INT32_MAX) throw py::value_error("n_steps: expected at least 0 and below 2**31");
    if (n_threads < 1) throw py::value_error("n_threads: expected at least 1");
}

void play(const TabularMdp& mdp, Reals probs, const RolloutOptions& options, Rollout& result,
          const Interrupt& interrupt) {
    const TabularSimulator simulator(mdp, options.restart_probability);
    AliasTable table;
    AliasScratch scratch;
    simulator.prepare(probs, table, scratch);
    rollout(simulator, table, options, {}, result, interrupt);
}

/// What playing so many steps and what follows, at `seconds_per_step` on one thread, is expected to take.
double playing_seconds(const TabularMdp& mdp, Index n_envs, Index n_steps, double seconds_per_step) {
    if (n_steps == 0) return HUGE_VAL;
    return static_cast<double>(n_envs) * static_cast<double>(n_steps) * seconds_per_step +
           50e-9 * static_cast<double>(mdp.probabilities.size());
}

py::tuple bind_rollout(const py::tuple& mdp_arrays, const py::array& probs_array, Index n_envs, Index n_steps,
                       std::uint64_t seed, int n_threads) {
    const TabularMdp mdp = mdp_view(mdp_arrays);
    const Reals probs = view<double>(probs_array, "probs", {mdp.n_states, mdp.n_actions});
    check_lengths(n_envs, n_steps, n_threads);
    RolloutOptions options = rollout_for(mdp, StateWeights::uniform, n_envs, n_steps);
    options.seed = seed;
    options.n_threads = n_threads;
    CompactArrays played;
    const RecordFormat format = interruptible(
        [&](const Interrupt& interrupt) {
            Rollout result;
            play(mdp, probs, options, result, interrupt);
            played = compact(std::move(result));
            return result.format;
        },
        playing_seconds(mdp, n_envs, n_steps, 3e-9));
    const Index n_cuts = std::ssize(played.cuts) / CompactRollout::kCutWidth;
    return py::make_tuple(to_array(std::move(played.records)),
                          to_array<std::int64_t>(std::move(played.tracks), {n_envs, CompactRollout::kTrackWidth}),
                          to_array(std::move(played.cuts), {n_cuts, CompactRollout::kCutWidth}), format.action_bits);
}

/// The tuple that `rollout` returns; every place that it names is checked.
CompactRollout compact_view(const py::tuple& arrays) {
    if (arrays.size() != 4) throw py::value_error("compact: expected (records, tracks, cuts, action_bits)");
    CompactRollout rollout;
    rollout.records = view<std::uint32_t>(as_array(arrays[0], "records"), "records", {kAny});
    rollout.tracks =
        view<std::int64_t>(as_array(arrays[1], "tracks"), "tracks", {kAny, CompactRollout::kTrackWidth});
    rollout.cuts = view<std::int64_t>(as_array(arrays[2], "cuts"), "cuts", {kAny, CompactRollout::kCutWidth});
    rollout.format.action_bits = arrays[3].cast<int>();
    if (rollout.format.action_bits < 0 || rollout.format.state_shift() > 31)
        throw py::value_error("action_bits: expected 0 to 28");
    const Index n_records = std::ssize(rollout.records);
    for (Index e = 0; e < rollout.n_envs(); ++e) {
        const Index first = rollout.first(e), stride = rollout.stride(e), length = rollout.length(e);
        if (first < 0 || first >= n_records || stride < 1 || length < 1 ||
            (length - 1) > (n_records - 1 - first) / stride)
            throw py::index_error("tracks[" + std::to_string(e) + "]: outside the records");
    }
    for (std::size_t c = 0; c < rollout.cuts.size(); c += CompactRollout::kCutWidth)
        if (rollout.cuts[c] < 0 || rollout.cuts[c] >= rollout.n_envs() || rollout.cuts[c + 1] < 0 ||
            rollout.cuts[c + 1] >= rollout.length(rollout.cuts[c]))
            throw py::index_error("cuts: a step outside the rollout");
    return rollout;
}

/// An array for one attribute, filled by `fill(layout, elements, interrupt)`; zeros where no step stands.
template <class T, class Element, class Fill>
py::array decoded(const Layout& layout, Fill&& fill) {
    Buffer<Element> values;
    const Index size = layout.n_rows * layout.n_columns;
    interruptible(
        [&](const Interrupt& interrupt) {
            values.resize(size);
            if (!layout.is_full) std::fill_n(values.data(), size, Element{0});
            fill(std::span<Element>(values.data(), static_cast<std::size_t>(size)), interrupt);
            return true;
        },
        3e-9 * static_cast<double>(size));
    return to_array<T>(std::move(values), {layout.n_rows, layout.n_columns});
}

py::array bind_decode(const py::tuple& compact_arrays, Index n_columns, const std::string& field,
                      const py::object& table_array, int n_threads) {
    const CompactRollout rollout = compact_view(compact_arrays);
    if (n_columns < 1 || n_columns > rollout.n_envs())
        throw py::value_error("n_columns: expected 1 to the number of environments");
    if (n_threads < 1) throw py::value_error("n_threads: expected at least 1");
    const Layout layout = lay_out(rollout, n_columns);
    if (!table_array.is_none()) {
        const py::array array = as_array(table_array, "table");
        const Reals table = view<double>(array, "table", {kAny, kAny});
        return decoded<double, double>(layout, [&](MutableReals out, const Interrupt& interrupt) {
            decode(rollout, layout, table, array.shape(1), n_threads, out, interrupt);
        });
    }
    constexpr const char* kIntegers[] = {"states", "actions", "next_states", "time"};
    for (int k = 0; k < 4; ++k)
        if (field == kIntegers[k])
            return decoded<std::int64_t, std::int64_t>(
                layout, [&](std::span<std::int64_t> out, const Interrupt& interrupt) {
                    decode(rollout, layout, static_cast<IntegerField>(k), n_threads, out, interrupt);
                });
    constexpr const char* kFlags[] = {"terminated", "truncated", "valid"};
    for (int k = 0; k < 3; ++k)
        if (field == kFlags[k])
            return decoded<bool, std::uint8_t>(
                layout, [&](std::span<std::uint8_t> out, const Interrupt& interrupt) {
                    decode(rollout, layout, static_cast<FlagField>(k), n_threads, out, interrupt);
                });
    throw py::value_error("field: " + field + " is not one of a rollout");
}

/// What `sample` and `sample_sums` are called with.
struct SampleCall {
    TabularMdp mdp;
    Reals probs;
    SampleOptions weighing;
    RolloutOptions options;

    SampleCall(const py::tuple& mdp_arrays, const py::array& probs_array, const py::array& log_probs_array,
               Index n_envs, Index n_steps, int state_weights, double gae_lambda, const py::object& baseline,
               double tau, std::uint64_t seed, int n_threads)
        : mdp(mdp_view(mdp_arrays)), probs(view<double>(probs_array, "probs", {mdp.n_states, mdp.n_actions})) {
        const Reals log_probs = view<double>(log_probs_array, "log_probs", {mdp.n_states, mdp.n_actions});
        weighing = {static_cast<StateWeights>(state_weights), gae_lambda, {}, tau, log_probs};
        if (!baseline.is_none())
            weighing.baseline = view<double>(as_array(baseline, "baseline"), "baseline", {n_cells()});
        check_lengths(n_envs, n_steps, n_threads);
        options = rollout_for(mdp, weighing.state_weights, n_envs, n_steps);
        options.seed = seed;
        options.n_threads = n_threads;
    }

    Index n_cells() const { return std::max<Index>(mdp.horizon, 1) * mdp.n_states; }
};

py::tuple bind_sample(const py::tuple& mdp, const py::array& probs, const py::array& log_probs, Index n_envs,
                      Index n_steps, int state_weights, double gae_lambda, const py::object& baseline, double tau,
                      std::uint64_t seed, int n_threads) {
    const SampleCall call(mdp, probs, log_probs, n_envs, n_steps, state_weights, gae_lambda, baseline, tau, seed,
                          n_threads);
    Sample sample = interruptible(
        [&](const Interrupt& interrupt) {
            Rollout played;
            play(call.mdp, call.probs, call.options, played, interrupt);
            return weigh(call.mdp, played, call.weighing, n_threads, interrupt);
        },
        playing_seconds(call.mdp, n_envs, n_steps, 20e-9));
    return py::make_tuple(to_array(std::move(sample.states)), to_array(std::move(sample.actions)),
                          to_array(std::move(sample.weights)), to_array(std::move(sample.advantages)),
                          to_array(std::move(sample.returns)), to_array(std::move(sample.time)),
                          sample.mass / static_cast<double>(std::max<Index>(sample.n_started, 1)), sample.return_mean);
}

py::tuple bind_sample_sums(const py::tuple& mdp, const py::array& probs, const py::array& log_probs, Index n_envs,
                           Index n_steps, int state_weights, double gae_lambda, const py::object& baseline, double tau,
                           std::uint64_t seed, int n_threads) {
    const SampleCall call(mdp, probs, log_probs, n_envs, n_steps, state_weights, gae_lambda, baseline, tau, seed,
                          n_threads);
    const Index n_states = call.mdp.n_states, n_actions = call.mdp.n_actions;
    std::vector<double> states(static_cast<std::size_t>(n_states)), pairs(call.probs.size()), advantages(pairs),
        fitted(static_cast<std::size_t>(call.n_cells()));
    std::copy(call.weighing.baseline.begin(), call.weighing.baseline.end(), fitted.begin());
    PairSums sums{states, pairs, advantages, fitted};
    interruptible(
        [&](const Interrupt& interrupt) {
            Rollout played;
            PairSumsWorkspace workspace;
            play(call.mdp, call.probs, call.options, played, interrupt);
            sum_pairs(call.mdp, played, call.weighing, n_threads, sums, workspace, interrupt);
            return true;
        },
        playing_seconds(call.mdp, n_envs, n_steps, 20e-9));
    return py::make_tuple(to_array(std::move(states)), to_array(std::move(pairs), {n_states, n_actions}),
                          to_array(std::move(advantages), {n_states, n_actions}), to_array(std::move(fitted)),
                          sums.mass / static_cast<double>(std::max<Index>(sums.n_started, 1)), sums.return_mean);
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
    m.def("decode", &bind_decode, py::arg("compact"), py::arg("n_columns"), py::arg("field"), py::arg("table"),
          py::arg("n_threads"));
    m.def("sample", &bind_sample, py::arg("mdp"), py::arg("probs"), py::arg("log_probs"), py::arg("n_envs"),
          py::arg("n_steps"), py::arg("state_weights"), py::arg("gae_lambda"), py::arg("baseline"), py::arg("tau"),
          py::arg("seed"), py::arg("n_threads"));
    m.def("sample_sums", &bind_sample_sums, py::arg("mdp"), py::arg("probs"), py::arg("log_probs"), py::arg("n_envs"),
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
