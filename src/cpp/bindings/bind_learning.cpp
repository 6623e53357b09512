#include "bindings/bindings.hpp"
#include "bindings/interruptible.hpp"
#include "bindings/simulation_views.hpp"
#include "bindings/training_views.hpp"
#include "npgfast/training/train_simulated.hpp"

namespace npgfast::bindings {

namespace {

/// The learners' state from its dictionary of arrays; the arrays are kept by `owners`.
SimulatedState learner_state(StateArrays& arrays, const LinearPolicy& policy, const TrainOptions& options,
                             Index standing_size) {
    SimulatedState state;
    const Index n_seeds = arrays.n_seeds(), d = policy.n_params(), size = policy.features.observation_size;
    const Index n_moments = options.algorithm == Algorithm::ppo ? d : 0;
    const Index n_resumed = options.n_steps > 0 ? options.n_envs : 0;
    const ObservationBaseline baseline(options.baseline, size, options.baseline_time_powers);
    state.n_seeds = n_seeds;
    state.seeds = arrays.seeds();
    state.theta = arrays.reals("theta", {n_seeds, d});
    state.adam_first = arrays.reals("adam_first", {n_seeds, n_moments});
    state.adam_second = arrays.reals("adam_second", {n_seeds, n_moments});
    state.adam_steps = arrays.reals("adam_steps", {n_seeds});
    state.baseline = arrays.reals("baseline", {n_seeds, baseline.state_size()});
    state.observation_moments = arrays.optional_reals("observation_moments", n_seeds, 1 + 2 * size);
    state.return_moments = arrays.optional_reals("return_moments", n_seeds, 3);
    state.returns = arrays.reals("returns", {n_seeds, options.n_envs, 2});
    if (standing_size > 0) state.environments = arrays.reals("environments", {n_seeds, n_resumed, standing_size});
    state.best_theta = arrays.optional_reals("best_theta", n_seeds, d);
    state.best_moments = arrays.optional_reals("best_moments", n_seeds, 1 + 2 * size);
    if (!state.best_theta.empty() && state.best_moments.empty() != state.observation_moments.empty())
        throw py::value_error("best_moments: expected columns where best_theta and observation_moments have some");
    state.best_objective = arrays.reals("best_objective", {n_seeds});
    state.timesteps = arrays.reals("timesteps", {n_seeds});
    state.mass = arrays.reals("mass", {n_seeds});
    state.n_started = arrays.reals("n_started", {n_seeds});
    state.timestep_limit = arrays.reals("timestep_limit", {n_seeds});
    state.finished = arrays.finished();
    state.n_done = arrays.n_done();
    state.started_at = mutable_view<std::int64_t>(arrays.take("started_at"), "started_at", {n_seeds});
    return state;
}

TrainOptions observed_options(const py::dict& values, const LinearPolicy& policy) {
    const TrainOptions options = train_options(values);
    const auto kind = static_cast<int>(options.baseline);
    if (kind < 0 || kind > static_cast<int>(BaselineKind::quadratic)) throw py::value_error("baseline: unknown kind");
    if (options.algorithm == Algorithm::soft_policy_iteration ||
        options.algorithm == Algorithm::conservative_policy_iteration)
        throw py::value_error("algorithm: this one is tabular");
    if (policy.is_gaussian() && options.natural_gradient.solver == Solver::closed_form &&
        options.natural_gradient.estimator != Estimator::analytic)
        throw py::value_error("solver: closed_form needs the analytic estimator");
    return options;
}

/// What iterations of this size are expected to take on one thread: playing, updates that form F and the moments of the
/// baseline and factor them, and evaluation. Not known where episodes have no end, and not looked into for PPO.
double training_seconds(const Environment& environment, const LinearPolicy& policy, const TrainOptions& options,
                        double n_iterations) {
    const bool is_bounded = options.n_evaluation_episodes == 0 || environment.time_limit > 0;
    if (options.algorithm == Algorithm::ppo || options.n_steps == 0 || !is_bounded) return HUGE_VAL;
    const ObservationBaseline baseline(options.baseline, policy.features.observation_size,
                                       options.baseline_time_powers);
    const auto d = static_cast<double>(policy.n_params()), p = static_cast<double>(baseline.n_features());
    const auto played = static_cast<double>(options.n_envs) * static_cast<double>(options.n_steps);
    const auto evaluated =
        static_cast<double>(options.n_evaluation_episodes) * static_cast<double>(environment.time_limit);
    return n_iterations * (played * (300e-9 + 1e-9 * d * d + 0.5e-9 * p * p) + 10e-9 * d * d * d + 1e-9 * p * p * p +
                           0.3 * simulation_seconds(environment, policy, evaluated));
}

py::array bind_train_simulated(const py::tuple& environment_arrays, const py::tuple& policy_arrays,
                               const py::dict& option_values, const py::dict& schedule_arrays,
                               const py::tuple& origin_arrays, Index first_iteration, Index n_iterations,
                               const py::dict& state_arrays) {
    const EnvironmentView environment(environment_arrays);
    const LinearPolicy policy = linear_policy_view(policy_arrays);
    environment.check_policy(policy);
    const TrainOptions options = observed_options(option_values, policy);
    StateArrays arrays(state_arrays);
    const Schedules schedules = schedules_view(schedule_arrays, arrays, first_iteration, n_iterations);
    const SimulatedState state = learner_state(arrays, policy, options, environment.environment().standing_size());
    if (origin_arrays.size() != 2) throw py::value_error("origin: expected theta and moments");
    const Index n_moments = std::ssize(state.observation_moments) / state.n_seeds;
    const Origin origin{view<double>(as_array(origin_arrays[0], "theta"), "theta", {policy.n_params()}),
                        view<double>(as_array(origin_arrays[1], "moments"), "moments", {n_moments})};
    std::vector<double> history(static_cast<std::size_t>(state.n_seeds * n_iterations * kHistoryColumns));
    interruptible(
        [&](const Interrupt& interrupt) {
            train_simulated(environment.environment(), policy, options, schedules, origin, first_iteration,
                            n_iterations, state, history, interrupt);
            return true;
        },
        training_seconds(environment.environment(), policy, options,
                         static_cast<double>(state.n_seeds) * static_cast<double>(n_iterations)));
    return to_array(std::move(history), {state.n_seeds, n_iterations, kHistoryColumns});
}

py::array bind_improve(const py::tuple& policy_arrays, const py::dict& option_values, const py::dict& schedule_arrays,
                       Index first_iteration, Index k, const py::tuple& recording_arrays,
                       const py::dict& state_arrays) {
    const LinearPolicy policy = linear_policy_view(policy_arrays);
    const TrainOptions options = observed_options(option_values, policy);
    StateArrays arrays(state_arrays);
    if (k < 0 || k >= arrays.n_seeds()) throw py::index_error("k: no such seed");
    const Schedules schedules = schedules_view_of(schedule_arrays, arrays, first_iteration, k);
    const SimulatedState state = learner_state(arrays, policy, options, 0);
    const Recording recording = recording_view(recording_arrays, policy);
    if (recording.n_envs() != options.n_envs) throw py::value_error("offsets: expected n_envs + 1 of them");
    std::vector<double> row(kHistoryColumns);
    interruptible([&](const Interrupt& interrupt) {
        Learner learner = learner_of(state, k);
        const Turn turn{state.seeds[k], state.n_done[k], first_iteration};
        std::vector<double> scratch;
        const LinearPolicy acting =
            normalized_policy(policy, learner.observations, options.observation_limit, scratch);
        Team team(options.n_threads);
        const Lesson lesson = improve(acting, options, schedules, turn, recording, learner, team, interrupt);
        ++state.n_done[k];
        record_lesson(row, lesson, std::numeric_limits<double>::quiet_NaN(), learner.timesteps, 0.0);
        return true;
    });
    return to_array(std::move(row));
}

}  // namespace

void bind_learning(py::module_& m) {
    m.def("train_simulated", &bind_train_simulated, py::arg("environment"), py::arg("policy"), py::arg("options"),
          py::arg("schedules"), py::arg("origin"), py::arg("first_iteration"), py::arg("n_iterations"),
          py::arg("state"));
    m.def("improve", &bind_improve, py::arg("policy"), py::arg("options"), py::arg("schedules"),
          py::arg("first_iteration"), py::arg("k"), py::arg("recording"), py::arg("state"));
}

}  // namespace npgfast::bindings
