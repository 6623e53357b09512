#include "bindings/simulation_views.hpp"

namespace npgfast::bindings {

EnvironmentView::EnvironmentView(const py::tuple& arrays) {
    if (arrays.size() != 6) throw py::value_error("environment: expected six entries");
    const py::array parameters = as_array(arrays[1], "parameters");
    simulator_ = make_simulator(static_cast<SimulatorKind>(arrays[0].cast<int>()),
                                view<double>(parameters, "parameters", {kAny}));
    if (!arrays[2].is_none()) {
        low_ = view<double>(as_array(arrays[2], "action_low"), "action_low", {simulator_->action_size()});
        high_ = view<double>(as_array(arrays[3], "action_high"), "action_high", {simulator_->action_size()});
        for (std::size_t k = 0; k < low_.size(); ++k)
            if (!(low_[k] <= high_[k])) throw py::value_error("action_low: above action_high");
    }
    time_limit_ = arrays[4].cast<Index>();
    horizon_ = arrays[5].cast<Index>();
    if (time_limit_ < 0 || horizon_ < 0) throw py::value_error("time_limit, horizon: negative");
}

void EnvironmentView::check_policy(const LinearPolicy& policy) const {
    if (policy.features.observation_size != simulator_->observation_size() ||
        policy.n_actions != simulator_->n_actions() || policy.action_size != simulator_->action_size())
        throw py::value_error("policy: its observations or actions are not those of the environment");
}

double simulation_seconds(const Environment& environment, const LinearPolicy& policy, double n_steps) {
    const auto size = static_cast<double>(environment.standing_size());
    return n_steps * (30e-9 + 2e-9 * static_cast<double>(policy.n_params()) + 1e-9 * size * size);
}

py::tuple recording_tuple(Recording&& recording) {
    const Index n = recording.n_steps(), size = recording.observation_size, k = recording.action_size;
    const Index n_cut = std::ssize(recording.cut);
    const py::array actions = k > 0 ? py::array(to_array(std::move(recording.actions), {n, k}))
                                    : py::array(to_array(std::move(recording.choices)));
    return py::make_tuple(to_array(std::vector<std::int64_t>(recording.offsets.begin(), recording.offsets.end())),
                          to_array(std::move(recording.observations), {n, size}),
                          actions, to_array(std::move(recording.rewards)),
                          to_array(std::move(recording.log_probs)), to_array(std::move(recording.time)),
                          to_array(std::move(recording.flags)),
                          to_array(std::vector<std::int64_t>(recording.cut.begin(), recording.cut.end())),
                          to_array(std::move(recording.cut_observations), {n_cut, size}));
}

Recording recording_view(const py::tuple& arrays, const LinearPolicy& policy) {
    if (arrays.size() != 9) throw py::value_error("recording: expected nine arrays");
    Recording recording;
    const Index size = policy.features.observation_size, k = policy.is_gaussian() ? policy.action_size : 0;
    recording.observation_size = size;
    recording.action_size = k;
    const auto copy = [&]<class T>(std::size_t at, const char* name, std::initializer_list<Index> shape, auto& to) {
        const auto values = view<T>(as_array(arrays[at], name), name, shape);
        to.assign(values.begin(), values.end());
    };
    const Index n = as_array(arrays[3], "rewards").size();
    copy.operator()<std::int64_t>(0, "offsets", {kAny}, recording.offsets);
    copy.operator()<double>(1, "observations", {n, size}, recording.observations);
    if (k > 0) {
        copy.operator()<double>(2, "actions", {n, k}, recording.actions);
    } else {
        const Integers choices = index_view(as_array(arrays[2], "actions"), "actions", n, policy.n_actions);
        recording.choices.assign(choices.begin(), choices.end());
    }
    copy.operator()<double>(3, "rewards", {n}, recording.rewards);
    copy.operator()<double>(4, "log_probs", {n}, recording.log_probs);
    copy.operator()<std::int32_t>(5, "time", {n}, recording.time);
    copy.operator()<std::uint8_t>(6, "flags", {n}, recording.flags);
    copy.operator()<std::int64_t>(7, "cut", {kAny}, recording.cut);
    copy.operator()<double>(8, "cut_observations", {std::ssize(recording.cut), size}, recording.cut_observations);
    if (n < 1 || recording.offsets.size() < 2 || recording.offsets.front() != 0 || recording.offsets.back() != n)
        throw py::value_error("offsets: expected 0, ..., n with n >= 1");
    for (std::size_t e = 1; e < recording.offsets.size(); ++e)
        if (recording.offsets[e - 1] > recording.offsets[e]) throw py::value_error("offsets: decrease");
    for (Index entry : recording.cut)
        if (entry < 0 || entry >= n) throw py::index_error("cut: an entry outside the recording");
    for (std::int32_t time : recording.time)
        if (time < 0 || time >= (1 << 30)) throw py::index_error("time: out of range");
    return recording;
}

}  // namespace npgfast::bindings
