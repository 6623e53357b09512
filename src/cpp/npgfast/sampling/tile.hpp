#pragma once

#include "npgfast/sampling/episode_group.hpp"
#include "npgfast/sampling/recording.hpp"

namespace npgfast {

/// Where the next steps of a lane are written: a recording and an entry of it; nowhere, if there is no recording.
struct Place {
    Recording* recording = nullptr;
    Index entry = 0;
};

/// kTile steps of a group in the first-level cache, before they are written out, one environment after another.
///
/// The arrays are (kTile, size, kGroup). They are transposed in registers, kWidth steps of kWidth lanes at a time; time
/// and flags, which only change their course where an episode ends, are written without being kept: a count and zeros,
/// and what the endings make of them. Bound by the stores.
class Tile {
public:
    static constexpr Index kTile = 16;

    explicit Tile(const Simulator& simulator);

    double* observations(Index t) { return observations_.data() + t * observation_size * kGroup; }
    double* actions(Index t) { return actions_.data() + t * action_size_ * kGroup; }
    double* rewards(Index t) { return rewards_.data() + t * kGroup; }
    double* log_probs(Index t) { return log_probs_.data() + t * kGroup; }

    /// Begins with the steps at which the group stands.
    void begin(const EpisodeGroup& group);
    /// Lanes whose episodes step t has ended.
    void end(Index t, const Ends& ends);

    /// Writes the first n steps of each lane to its place; numbers past the caches, if `streams` and they are aligned.
    void write(Index n, const std::array<Place, kGroup>& places, bool streams) const;

    const Index observation_size;

private:
    struct Ending {
        Index step;
        int lane;
        StepFlag flag;
    };

    Index action_size_;
    bool is_discrete_;
    Column<double> observations_, actions_, rewards_, log_probs_;
    std::array<std::int32_t, kGroup> first_time_{};
    std::vector<Ending> endings_;
};

}  // namespace npgfast
