#include <algorithm>

#include "bindings/bindings.hpp"
#include "bindings/interruptible.hpp"
#include "bindings/simulation_views.hpp"
#include "npgfast/sampling/baseline.hpp"

namespace npgfast::bindings {

namespace {

py::array bind_feature_rows(const py::tuple& policy_arrays, const py::array& observations_array, int n_threads) {
    const LinearPolicy policy = linear_policy_view(policy_arrays);
    const Index size = policy.features.observation_size;
    const Reals observations = view<double>(observations_array, "observations", {kAny, size});
    Team team(checked_threads(n_threads));
    py::array rows_array = new_array({std::ssize(observations) / size, policy.features.n_features});
    const MutableReals rows = mutable_view<double>(rows_array, "rows", {kAny, kAny});
    {
        const py::gil_scoped_release release;
        policy.feature_rows(observations, rows, team);
    }
    return rows_array;
}

py::tuple bind_act(const py::tuple& policy_arrays, const py::array& theta_array, const py::array& observations_array,
                   std::uint64_t seed, std::uint32_t iteration, const py::array& steps_array) {
    const LinearPolicy policy = linear_policy_view(policy_arrays);
    const Index size = policy.features.observation_size, n = steps_array.size(), k = policy.action_size;
    const Reals theta = view<double>(theta_array, "theta", {policy.n_params()});
    const Reals observations = view<double>(observations_array, "observations", {n, size});
    const auto steps = view<std::uint32_t>(steps_array, "steps", {n});
    std::vector<double> actions(static_cast<std::size_t>(n * k)), log_probs(static_cast<std::size_t>(n));
    {
        const py::gil_scoped_release release;
        act(policy, theta, observations, seed, iteration, steps, actions, log_probs);
    }
    return py::make_tuple(to_array(std::move(actions), {n, k}), to_array(std::move(log_probs)));
}

py::array bind_most_probable(const py::tuple& policy_arrays, const py::array& theta_array,
                             const py::array& observations_array) {
    const LinearPolicy policy = linear_policy_view(policy_arrays);
    const Index size = policy.features.observation_size, k = policy.action_size;
    const Reals theta = view<double>(theta_array, "theta", {policy.n_params()});
    const Reals observations = view<double>(observations_array, "observations", {kAny, size});
    const Index n = std::ssize(observations) / size;
    std::vector<double> actions(static_cast<std::size_t>(n * k));
    {
        const py::gil_scoped_release release;
        act_by_mode(policy, theta, observations, actions);
    }
    return to_array(std::move(actions), {n, k});
}

py::tuple bind_simulate(const py::tuple& environment_arrays, const py::tuple& policy_arrays,
                        const py::array& theta_array, Index n_envs, Index n_steps, std::uint64_t seed, int n_threads) {
    const EnvironmentView environment(environment_arrays);
    const LinearPolicy policy = linear_policy_view(policy_arrays);
    environment.check_policy(policy);
    const Reals theta = view<double>(theta_array, "theta", {policy.n_params()});
    if (n_envs < 1 || n_steps < 0 || n_threads < 1 || n_envs > (Index{1} << 32) || n_steps >= (Index{1} << 32))
        throw py::value_error("n_envs, n_steps, n_threads: out of range");
    const SimulationOptions options{n_envs, n_steps, seed, 0, n_threads};
    const double seconds = simulation_seconds(environment.environment(), policy,
                                            static_cast<double>(n_envs) * static_cast<double>(n_steps));
    return recording_tuple(interruptible(
        [&](const Interrupt& interrupt) {
            return simulate(environment.environment(), policy, theta, options, {}, interrupt);
        },
        n_steps > 0 ? seconds : HUGE_VAL));
}

py::array bind_episode_returns(const py::tuple& environment_arrays, const py::tuple& policy_arrays,
                               const py::array& theta_array, bool deterministic, Index n_episodes,
                               std::uint64_t seed) {
    const EnvironmentView environment(environment_arrays);
    const LinearPolicy policy = linear_policy_view(policy_arrays);
    environment.check_policy(policy);
    const Reals theta = view<double>(theta_array, "theta", {policy.n_params()});
    if (n_episodes < 1 || n_episodes >= (Index{1} << 32)) throw py::value_error("n_episodes: out of range");
    return to_array(interruptible([&](const Interrupt& interrupt) {
        return episode_returns(environment.environment(), policy, theta, deterministic, 0, n_episodes, seed, 0,
                               interrupt);
    }));
}

ObservationBaseline baseline_of(int kind, Index observation_size, Index time_powers) {
    if (time_powers < 0 || time_powers > 64) throw py::value_error("time_powers: out of range");
    if (kind < 0 || kind > static_cast<int>(BaselineKind::quadratic)) throw py::value_error("kind: unknown baseline");
    return {static_cast<BaselineKind>(kind), observation_size, time_powers};
}

py::array bind_fit_baseline(int kind, Index time_powers, const py::array& observations_array,
                            const py::array& time_array, const py::array& targets_array) {
    const Reals observations = view<double>(observations_array, "observations", {kAny, kAny});
    const Index n = observations_array.shape(0), size = observations_array.shape(1);
    const auto time = view<std::int32_t>(time_array, "time", {n});
    const Reals targets = view<double>(targets_array, "targets", {n});
    if (n < 1 || size < 1) throw py::value_error("observations: empty");
    const ObservationBaseline baseline = baseline_of(kind, size, time_powers);
    std::vector<double> state(static_cast<std::size_t>(baseline.state_size()), 0.0);
    {
        const py::gil_scoped_release release;
        baseline.fit(state, observations, time, targets);
    }
    return to_array(std::move(state));
}

py::array bind_predict_baseline(int kind, Index time_powers, const py::array& state_array,
                                const py::array& observations_array, const py::array& time_array) {
    const Index n = time_array.size();
    const Reals observations = view<double>(observations_array, "observations", {n, kAny});
    const auto time = view<std::int32_t>(time_array, "time", {n});
    const ObservationBaseline baseline = baseline_of(kind, observations_array.shape(1), time_powers);
    const Reals state = view<double>(state_array, "state", {baseline.state_size()});
    std::vector<double> values;
    {
        const py::gil_scoped_release release;
        values = baseline.predict(state, observations, time);
    }
    return to_array(std::move(values));
}

}  // namespace

void bind_simulation(py::module_& m) {
    m.def("feature_rows", &bind_feature_rows, py::arg("policy"), py::arg("observations"), py::arg("n_threads"));
    m.def("act", &bind_act, py::arg("policy"), py::arg("theta"), py::arg("observations"), py::arg("seed"),
          py::arg("iteration"), py::arg("steps"));
    m.def("most_probable", &bind_most_probable, py::arg("policy"), py::arg("theta"), py::arg("observations"));
    m.def("simulate", &bind_simulate, py::arg("environment"), py::arg("policy"), py::arg("theta"), py::arg("n_envs"),
          py::arg("n_steps"), py::arg("seed"), py::arg("n_threads"));
    m.def("episode_returns", &bind_episode_returns, py::arg("environment"), py::arg("policy"), py::arg("theta"),
          py::arg("deterministic"), py::arg("n_episodes"), py::arg("seed"));
    m.def("fit_baseline", &bind_fit_baseline, py::arg("kind"), py::arg("time_powers"), py::arg("observations"),
          py::arg("time"), py::arg("targets"));
    m.def("predict_baseline", &bind_predict_baseline, py::arg("kind"), py::arg("time_powers"), py::arg("state"),
          py::arg("observations"), py::arg("time"));
}

}  // namespace npgfast::bindings
