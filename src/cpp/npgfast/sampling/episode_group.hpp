#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "npgfast/base/column.hpp"
#include "npgfast/base/group.hpp"
#include "npgfast/problems/simulator.hpp"

namespace npgfast {

/// A simulator with what surrounds it: the bounds to which actions are clipped on their way to it, the time limit that
/// truncates an episode, and the horizon that terminates it (0: none).
struct Environment {
    const Simulator& simulator;
    Reals action_low, action_high;  ///< (action_size,), or empty
    Index time_limit = 0;
    Index horizon = 0;

    /// Doubles that hold where an environment stands: the time (-1 before its first episode), then the state.
    Index standing_size() const { return 1 + simulator.state_size(); }
};

/// What the draws of an episode are for.
struct Purposes {
    Purpose start, action, dynamics;
};
inline constexpr Purposes kPlaying{Purpose::start, Purpose::step, Purpose::dynamics};
inline constexpr Purposes kEvaluating{Purpose::evaluation_start, Purpose::evaluation_action,
                                      Purpose::evaluation_dynamics};

/// Visits the lanes of a set of bits.
template <class Visit>
void for_each_lane(unsigned lanes, const Visit& visit) {
    for (; lanes != 0; lanes &= lanes - 1) visit(std::countr_zero(lanes));
}

/// Lanes whose episodes a step ended, a bit for each.
struct Ends {
    unsigned terminated, truncated;
    unsigned all() const { return terminated | truncated; }
};

/// Where a group of n environments from `first` on stands: the states of their episodes, at a step of all.
///
/// The time within an episode is the distance from the step at which it was born; limits are looked at only from the
/// step on at which the oldest lane may reach one. Lanes beyond n play too, and their ends are reported with the
/// others'.
class EpisodeGroup {
public:
    EpisodeGroup(const Environment& environment, std::uint64_t seed, std::uint32_t iteration, Index first, Index n,
                 const Purposes& purposes);

    Index size() const { return n_; }
    unsigned lanes() const { return (1u << n_) - 1; }
    Index time(Index lane) const { return now_ - born_[lane]; }
    GroupStream stream_of_actions() { return stream(purposes_.action); }

    /// Takes the places of `standing` (n, 1 + state size); returns the lanes before their first episode.
    unsigned stand(Reals standing);
    /// The reverse.
    void leave(MutableReals standing, unsigned fresh) const;

    /// Begins an episode in each of the lanes.
    void start(unsigned lanes);

    void observe(double* observations) const { simulator_.observe(n_, states_.data(), observations); }

    /// Moves every lane by its action, to the next step. Output: rewards (kGroup,).
    Ends step(const double* actions, double* rewards);

    /// Zeros for lanes that are not played any more: they go on, and must not run away into slow arithmetic.
    void forget(unsigned lanes);

private:
    static constexpr Index kNoiseSteps = 4;

    GroupStream stream(Purpose purpose);
    const double* clip(const double* actions);
    void add_limited(Ends& ends);

    const Environment& environment_;
    const Simulator& simulator_;
    Index n_, now_ = 0, oldest_ = 0, soonest_limit_;
    std::uint64_t seed_;
    std::uint32_t iteration_, first_;
    const Purposes& purposes_;
    Column<double> states_, clipped_, noise_;
    std::vector<double> one_;
    std::array<Index, kGroup> born_{};
    std::array<std::int64_t, kGroup> steps_{};
};

}  // namespace npgfast
