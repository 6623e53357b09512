#include "bindings/bindings.hpp"
#include "bindings/interruptible.hpp"
#include "bindings/training_views.hpp"
#include "npgfast/training/train.hpp"

namespace npgfast::bindings {

namespace {

py::tuple bind_train(const py::tuple& mdp_arrays, const py::tuple& policy_arrays, const py::array& reachable_array,
                     const py::dict& option_values, const py::dict& schedule_arrays, Index first_iteration,
                     Index n_iterations, const py::dict& state_arrays, const py::array& start_values_array,
                     const py::tuple& memory_arrays) {
    const TabularMdp mdp = mdp_view(mdp_arrays);
    const SoftmaxPolicy policy = policy_view(policy_arrays);
    if (policy.n_states != mdp.n_states || policy.n_actions != mdp.n_actions)
        throw py::value_error("policy: expected the sizes of the MDP");
    const Flags reachable = view<std::uint8_t>(reachable_array, "reachable", {mdp.n_states});
    const TrainOptions options = train_options(option_values);
    StateArrays arrays(state_arrays);
    const Schedules schedules = schedules_view(schedule_arrays, arrays, first_iteration, n_iterations);
    TrainState state;
    const Index n_seeds = arrays.n_seeds();
    const Index n_moments = options.algorithm == Algorithm::ppo ? policy.n_params : 0;
    const Index n_cells = options.sampled && options.use_baseline
                              ? std::max<Index>(mdp.horizon, 1) * mdp.n_states
                              : 0;
    const Index n_resumed = options.sampled && options.n_steps > 0 ? options.n_envs : 0;
    state.n_seeds = n_seeds;
    state.seeds = arrays.seeds();
    state.theta = arrays.reals("theta", {n_seeds, policy.n_params});
    state.best_theta = arrays.optional_reals("best_theta", n_seeds, policy.n_params);
    state.best_objective = arrays.reals("best_objective", {n_seeds});
    state.adam_first = arrays.reals("adam_first", {n_seeds, n_moments});
    state.adam_second = arrays.reals("adam_second", {n_seeds, n_moments});
    state.adam_steps = arrays.reals("adam_steps", {n_seeds});
    state.baseline = arrays.reals("baseline", {n_seeds, n_cells});
    const auto environments =
        mutable_view<std::int32_t>(arrays.take("environments"), "environments", {n_seeds, n_resumed, 2});
    state.timesteps = arrays.reals("timesteps", {n_seeds});
    state.timestep_limit = arrays.reals("timestep_limit", {n_seeds});
    state.mass = arrays.reals("mass", {n_seeds});
    state.n_started = arrays.reals("n_started", {n_seeds});
    state.finished = arrays.finished();
    state.n_done = arrays.n_done();
    static_assert(sizeof(EnvironmentState) == 2 * sizeof(std::int32_t));
    for (std::size_t i = 0; i < environments.size(); i += 2)
        if (environments[i] < -1 || environments[i] >= mdp.n_states || environments[i + 1] < 0)
            throw py::index_error("environments: a state outside the MDP");
    state.environments = {reinterpret_cast<EnvironmentState*>(environments.data()), environments.size() / 2};

    const Reals start_values = view<double>(start_values_array, "start_values", {kAny});
    if (!start_values.empty() && (std::ssize(start_values) != mdp.n_states || mdp.horizon > 0))
        throw py::value_error("start_values: expected the values of a problem without horizon, or nothing");
    std::vector<py::array> remembered;
    if (memory_arrays.size() != 4) throw py::value_error("memory: expected 4 arrays");
    for (const py::handle array : memory_arrays) remembered.push_back(as_array(array, "memory"));
    const Index n_kept = mdp.horizon == 0 && remembered[3].size() > 0 ? n_seeds : 0;
    const Memory memory{mutable_view<double>(remembered[0], "memory[0]", {n_kept, policy.n_params}),
                        mutable_view<double>(remembered[1], "memory[1]", {n_kept, mdp.n_states}),
                        mutable_view<double>(remembered[2], "memory[2]", {n_kept, mdp.n_states}),
                        mutable_view<double>(remembered[3], "memory[3]", {n_kept})};

    std::vector<double> history(static_cast<std::size_t>(n_seeds * n_iterations * kHistoryColumns));
    std::vector<double> initial(static_cast<std::size_t>(n_seeds * 3));
    interruptible([&](const Interrupt& interrupt) {
        train(mdp, policy, reachable, options, schedules, first_iteration, n_iterations, state, start_values, memory,
              history, initial, interrupt);
        return true;
    });
    return py::make_tuple(to_array(std::move(history), {n_seeds, n_iterations, kHistoryColumns}),
                          to_array(std::move(initial), {n_seeds, 3}));
}

}  // namespace

void bind_training(py::module_& m) {
    m.def("train", &bind_train, py::arg("mdp"), py::arg("policy"), py::arg("reachable"), py::arg("options"),
          py::arg("schedules"), py::arg("first_iteration"), py::arg("n_iterations"), py::arg("state"),
          py::arg("start_values"), py::arg("memory"));
}

}  // namespace npgfast::bindings
