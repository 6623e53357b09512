#include <algorithm>

#include "bindings/array_views.hpp"
#include "bindings/bindings.hpp"
#include "bindings/interruptible.hpp"
#include "npgfast/training/train.hpp"

namespace npgfast::bindings {

namespace {

TrainOptions train_options(const py::dict& given) {
    TrainOptions options;
    const auto read = [&]<class T>(const char* key, T& field) { field = given[key].cast<T>(); };
    const auto read_enum = [&]<class T>(const char* key, T& field) { field = static_cast<T>(given[key].cast<int>()); };
    read_enum("algorithm", options.algorithm);
    read("sampled", options.sampled);
    read("tau", options.tau);
    read_enum("solver", options.natural_gradient.solver);
    read_enum("estimator", options.natural_gradient.estimator);
    read("damping", options.natural_gradient.damping);
    read("rtol", options.natural_gradient.rtol);
    read("max_solver_iterations", options.natural_gradient.max_iterations);
    read("backtrack_factor", options.backtrack_factor);
    read("max_backtracks", options.max_backtracks);
    read("mixture", options.mixture);
    read("n_epochs", options.ppo.n_epochs);
    read("minibatch_size", options.ppo.minibatch_size);
    read("normalize_advantages", options.ppo.normalize_advantages);
    read("max_gradient_norm", options.ppo.max_gradient_norm);
    read("target_kl", options.ppo.target_kl);
    read("adam_beta1", options.ppo.adam_beta1);
    read("adam_beta2", options.ppo.adam_beta2);
    read("adam_epsilon", options.ppo.adam_epsilon);
    read("n_envs", options.n_envs);
    read("n_steps", options.n_steps);
    read_enum("state_weights", options.state_weights);
    read("gae_lambda", options.gae_lambda);
    read("use_baseline", options.use_baseline);
    read("target", options.target);
    read("n_threads", options.n_threads);
    if (options.n_envs < 1 || options.n_steps < 0) throw py::value_error("n_envs, n_steps: out of range");
    return options;
}

py::tuple bind_train(const py::tuple& mdp_arrays, const py::tuple& policy_arrays, const py::array& reachable_array,
                     const py::dict& option_values, const py::dict& schedule_arrays, Index first_iteration,
                     Index n_iterations, const py::dict& state_arrays) {
    const TabularMdp mdp = mdp_view(mdp_arrays);
    const SoftmaxPolicy policy = policy_view(policy_arrays);
    if (policy.n_states != mdp.n_states || policy.n_actions != mdp.n_actions)
        throw py::value_error("policy: expected the sizes of the MDP");
    const Flags reachable = view<std::uint8_t>(reachable_array, "reachable", {mdp.n_states});
    const TrainOptions options = train_options(option_values);
    if (n_iterations < 1) throw py::value_error("n_iterations: expected at least 1");
    const auto n_done = view<std::int64_t>(as_array(state_arrays["n_done"], "n_done"), "n_done", {kAny});
    const auto finished = view<std::uint8_t>(as_array(state_arrays["finished"], "finished"), "finished",
                                             {std::ssize(n_done)});
    Index last_iteration = first_iteration;
    for (std::size_t k = 0; k < n_done.size(); ++k) {
        if (finished[k]) continue;
        if (n_done[k] < first_iteration) throw py::value_error("n_done: before first_iteration");
        last_iteration = std::max<Index>(last_iteration, n_done[k] + n_iterations);
    }
    if (first_iteration < 0 || last_iteration > (Index{1} << 28))
        throw py::value_error("n_iterations: a run has at most 2**28 of them");

    Schedules schedules;
    const auto schedule = [&](const char* key) {
        return view<double>(as_array(schedule_arrays[key], key), key, {last_iteration - first_iteration});
    };
    schedules.step_size = schedule("step_size");
    schedules.max_kl = schedule("max_kl");
    schedules.radius = schedule("radius");
    schedules.clip_range = schedule("clip_range");
    schedules.learning_rate = schedule("learning_rate");
    schedules.entropy_coefficient = schedule("entropy_coefficient");

    std::vector<py::array> owners;
    owners.reserve(20);
    const auto array = [&](const char* key) -> py::array& {
        owners.push_back(as_array(state_arrays[key], key));
        return owners.back();
    };
    TrainState state;
    py::array& seeds = array("seeds");
    const Index n_seeds = seeds.size();
    if (n_seeds < 1) throw py::value_error("seeds: expected at least one");
    const Index n_moments = options.algorithm == Algorithm::ppo ? policy.n_params : 0;
    const Index n_cells = options.sampled && options.use_baseline
                              ? std::max<Index>(mdp.horizon, 1) * mdp.n_states
                              : 0;
    const Index n_resumed = options.sampled && options.n_steps > 0 ? options.n_envs : 0;
    state.n_seeds = n_seeds;
    state.seeds = view<std::uint64_t>(seeds, "seeds", {n_seeds});
    state.theta = mutable_view<double>(array("theta"), "theta", {n_seeds, policy.n_params});
    py::array& best = array("best_theta");
    const Index n_best = best.size() > 0 ? policy.n_params : 0;
    state.best_theta = mutable_view<double>(best, "best_theta", {n_seeds, n_best});
    state.best_objective = mutable_view<double>(array("best_objective"), "best_objective", {n_seeds});
    state.adam_first = mutable_view<double>(array("adam_first"), "adam_first", {n_seeds, n_moments});
    state.adam_second = mutable_view<double>(array("adam_second"), "adam_second", {n_seeds, n_moments});
    state.adam_steps = mutable_view<double>(array("adam_steps"), "adam_steps", {n_seeds});
    state.baseline = mutable_view<double>(array("baseline"), "baseline", {n_seeds, n_cells});
    const auto environments =
        mutable_view<std::int32_t>(array("environments"), "environments", {n_seeds, n_resumed, 2});
    state.timesteps = mutable_view<double>(array("timesteps"), "timesteps", {n_seeds});
    state.timestep_limit = view<double>(array("timestep_limit"), "timestep_limit", {n_seeds});
    state.mass = mutable_view<double>(array("mass"), "mass", {n_seeds});
    state.n_started = mutable_view<double>(array("n_started"), "n_started", {n_seeds});
    state.finished = mutable_view<std::uint8_t>(array("finished"), "finished", {n_seeds});
    state.n_done = mutable_view<std::int64_t>(array("n_done"), "n_done", {n_seeds});
    static_assert(sizeof(EnvironmentState) == 2 * sizeof(std::int32_t));
    for (std::size_t i = 0; i < environments.size(); i += 2)
        if (environments[i] < -1 || environments[i] >= mdp.n_states || environments[i + 1] < 0)
            throw py::index_error("environments: a state outside the MDP");
    state.environments = {reinterpret_cast<EnvironmentState*>(environments.data()), environments.size() / 2};

    std::vector<double> history(static_cast<std::size_t>(n_seeds * n_iterations * kHistoryColumns));
    std::vector<double> initial(static_cast<std::size_t>(n_seeds * 3));
    interruptible([&](const Interrupt& interrupt) {
        train(mdp, policy, reachable, options, schedules, first_iteration, n_iterations, state, history, initial,
              interrupt);
        return true;
    });
    return py::make_tuple(to_array(std::move(history), {n_seeds, n_iterations, kHistoryColumns}),
                          to_array(std::move(initial), {n_seeds, 3}));
}

}  // namespace

void bind_training(py::module_& m) {
    m.def("train", &bind_train, py::arg("mdp"), py::arg("policy"), py::arg("reachable"), py::arg("options"),
          py::arg("schedules"), py::arg("first_iteration"), py::arg("n_iterations"), py::arg("state"));
}

}  // namespace npgfast::bindings
