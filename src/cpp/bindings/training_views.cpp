#include "bindings/training_views.hpp"

#include <algorithm>

namespace npgfast::bindings {

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
    read_enum("normalize_advantages", options.ppo.normalize);
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
    read("gamma", options.gamma);
    read_enum("observation_baseline", options.baseline);
    read("baseline_time_powers", options.baseline_time_powers);
    if (options.baseline_time_powers < 0 || options.baseline_time_powers > 64)
        throw py::value_error("baseline_time_powers: out of range");
    read("baseline_lambda", options.baseline_lambda);
    read("centers_advantages", options.centers_advantages);
    read("fits_baseline_first", options.fits_baseline_first);
    read("observation_limit", options.observation_limit);
    read("reward_limit", options.reward_limit);
    read("restart_after", options.restart_after);
    read("n_evaluation_episodes", options.n_evaluation_episodes);
    read("evaluate_deterministically", options.evaluate_deterministically);
    if (options.n_envs < 1 || options.n_steps < 0) throw py::value_error("n_envs, n_steps: out of range");
    return options;
}

StateArrays::StateArrays(const py::dict& arrays) : arrays_(arrays) {
    owners_.reserve(32);
    py::array& seeds = take("seeds");
    n_seeds_ = seeds.size();
    if (n_seeds_ < 1) throw py::value_error("seeds: expected at least one");
    seeds_ = view<std::uint64_t>(seeds, "seeds", {n_seeds_});
    finished_ = mutable_view<std::uint8_t>(take("finished"), "finished", {n_seeds_});
    n_done_ = mutable_view<std::int64_t>(take("n_done"), "n_done", {n_seeds_});
}

py::array& StateArrays::take(const char* key) {
    owners_.push_back(as_array(arrays_[key], key));
    return owners_.back();
}

MutableReals StateArrays::reals(const char* key, std::initializer_list<Index> shape) {
    return mutable_view<double>(take(key), key, shape);
}

MutableReals StateArrays::optional_reals(const char* key, Index rows, Index columns) {
    py::array& array = take(key);
    return mutable_view<double>(array, key, {rows, array.size() > 0 ? columns : 0});
}

namespace {

Schedules read_schedules(const py::dict& arrays, Index first_iteration, Index last_iteration) {
    if (first_iteration < 0 || last_iteration > (Index{1} << 28))
        throw py::value_error("n_iterations: a run has at most 2**28 of them");
    const auto schedule = [&](const char* key) {
        const Reals values = view<double>(as_array(arrays[key], key), key, {kAny});
        if (std::ssize(values) < last_iteration - first_iteration)
            throw py::value_error(std::string(key) + ": ends before the last iteration");
        return values;
    };
    return {schedule("step_size"),  schedule("max_kl"),        schedule("radius"),
            schedule("clip_range"), schedule("learning_rate"), schedule("entropy_coefficient")};
}

Index iterations_done(const StateArrays& state, Index first_iteration, Index k) {
    const Index done = state.n_done()[k];
    if (done < first_iteration) throw py::value_error("n_done: before first_iteration");
    if (done > (Index{1} << 28)) throw py::value_error("n_done: a run has at most 2**28 iterations");
    return done;
}

}  // namespace

Schedules schedules_view(const py::dict& arrays, const StateArrays& state, Index first_iteration, Index n_iterations) {
    if (n_iterations < 1 || n_iterations > (Index{1} << 28))
        throw py::value_error("n_iterations: expected 1 to 2**28 of them");
    Index last_iteration = first_iteration;
    for (Index k = 0; k < state.n_seeds(); ++k)
        if (!state.finished()[k])
            last_iteration = std::max(last_iteration, iterations_done(state, first_iteration, k) + n_iterations);
    return read_schedules(arrays, first_iteration, last_iteration);
}

Schedules schedules_view_of(const py::dict& arrays, const StateArrays& state, Index first_iteration, Index k) {
    return read_schedules(arrays, first_iteration, iterations_done(state, first_iteration, k) + 1);
}

}  // namespace npgfast::bindings
