#include "npgfast/sampling/episode_group.hpp"

#include <limits>

#include "npgfast/base/lanes.hpp"

namespace npgfast {

namespace {

Index soonest_limit(const Environment& environment) {
    Index soonest = std::numeric_limits<Index>::max();
    for (Index limit : {environment.time_limit, environment.horizon})
        if (limit > 0) soonest = std::min(soonest, limit);
    return soonest;
}

}  // namespace

EpisodeGroup::EpisodeGroup(const Environment& environment, std::uint64_t seed, std::uint32_t iteration, Index first,
                           Index n, const Purposes& purposes)
    : environment_(environment), simulator_(environment.simulator), n_(n), soonest_limit_(soonest_limit(environment)),
      seed_(seed), iteration_(iteration), first_(static_cast<std::uint32_t>(first)), purposes_(purposes),
      states_(group_array(simulator_.state_size())), clipped_(group_array(simulator_.action_size())),
      noise_(group_array(kNoiseSteps * simulator_.noise_size())),
      one_(static_cast<std::size_t>(simulator_.state_size())) {}

unsigned EpisodeGroup::stand(Reals standing) {
    const Index width = environment_.standing_size();
    unsigned fresh = 0;
    for (Index lane = 0; lane < n_; ++lane) {
        const double* place = standing.data() + lane * width;
        fresh |= (place[0] >= 0.0 ? 0u : 1u) << lane;
        born_[lane] = now_ - static_cast<Index>(std::clamp(place[0], 0.0, double{1 << 30}));
        for (Index i = 1; i < width; ++i) states_[(i - 1) * kGroup + lane] = place[i];
    }
    oldest_ = *std::min_element(born_.begin(), born_.end());
    return fresh;
}

void EpisodeGroup::leave(MutableReals standing, unsigned fresh) const {
    const Index width = environment_.standing_size();
    for (Index lane = 0; lane < n_; ++lane) {
        double* place = standing.data() + lane * width;
        place[0] = fresh >> lane & 1 ? -1.0 : static_cast<double>(time(lane));
        for (Index i = 1; i < width; ++i) place[i] = states_[(i - 1) * kGroup + lane];
    }
}

void EpisodeGroup::start(unsigned lanes) {
    for_each_lane(lanes, [&](int lane) {
        Stream random(seed_, iteration_, first_ + static_cast<std::uint32_t>(lane), static_cast<std::uint32_t>(now_),
                      purposes_.start);
        simulator_.start(one_.data(), random);
        for (Index i = 0; i < std::ssize(one_); ++i) states_[i * kGroup + lane] = one_[i];
        born_[lane] = now_;
    });
}

Ends EpisodeGroup::step(const double* actions, double* rewards) {
    if (!environment_.action_low.empty()) actions = clip(actions);
    const Index n_noise = simulator_.noise_size(), row = now_ % kNoiseSteps;
    if (n_noise > 0 && row == 0) stream(purposes_.dynamics).normals(n_, kNoiseSteps, n_noise, noise_.data());
    Ends ends{simulator_.step(n_, states_.data(), actions, noise_.data() + row * n_noise * kGroup, rewards), 0};
    ++now_;
    if (now_ - oldest_ >= soonest_limit_) add_limited(ends);
    return ends;
}

void EpisodeGroup::add_limited(Ends& ends) {
    for (Index lane = 0; lane < kGroup; ++lane) {
        if (time(lane) == environment_.horizon) ends.terminated |= 1u << lane;
        if (time(lane) == environment_.time_limit) ends.truncated |= 1u << lane;
    }
    ends.truncated &= ~ends.terminated;
    oldest_ = now_;
    for (Index lane = 0; lane < n_; ++lane)
        if (time(lane) != soonest_limit_) oldest_ = std::min(oldest_, born_[lane]);
}

void EpisodeGroup::forget(unsigned lanes) {
    for_each_lane(lanes, [&](int lane) {
        for (Index i = 0; i < std::ssize(one_); ++i) states_[i * kGroup + lane] = 0.0;
        born_[lane] = now_;
    });
}

GroupStream EpisodeGroup::stream(Purpose purpose) {
    steps_.fill(now_);
    return {seed_, iteration_, first_, steps_.data(), purpose};
}

const double* EpisodeGroup::clip(const double* actions) {
    for (Index k = 0; k < std::ssize(environment_.action_low); ++k)
        for (Index lane = k * kGroup; lane < k * kGroup + n_; lane += kWidth)
            store(clipped_.data() + lane, clamp(load(actions + lane), all_lanes(environment_.action_low[k]),
                                                all_lanes(environment_.action_high[k])));
    return clipped_.data();
}

}  // namespace npgfast
