#include "npgfast/sampling/tile.hpp"

#include "npgfast/base/lanes.hpp"

namespace npgfast {

namespace {

typedef std::int32_t LaneChoices __attribute__((vector_size(sizeof(Lanes) / 2)));

void store_choices(std::int32_t* to, Lanes x) {
    const LaneChoices choices = __builtin_convertvector(x, LaneChoices);
    std::memcpy(to, &choices, sizeof choices);
}

/// Column k of rows (n_rows, kGroup) into to[k], unless that is null, by write(to[k] + row, kWidth numbers of it).
template <class T, class Write>
void spread(const double* rows, Index n_rows, const std::array<T*, kGroup>& to, const Write& write) {
    for (Index lane = 0; lane < kGroup; lane += kWidth) {
        Index row = 0;
        for (; row + kWidth <= n_rows; row += kWidth) {
            Lanes block[kWidth];
            for (Index i = 0; i < kWidth; ++i) block[i] = load(rows + (row + i) * kGroup + lane);
            transpose(block);
            for (Index k = 0; k < kWidth; ++k)
                if (to[lane + k] != nullptr) write(to[lane + k] + row, block[k]);
        }
        for (; row < n_rows; ++row)
            for (Index k = 0; k < kWidth; ++k)
                if (to[lane + k] != nullptr) to[lane + k][row] = static_cast<T>(rows[row * kGroup + lane + k]);
    }
}

/// first, first + 1, ... (n,); whole tiles in a loop of a known length.
void count_from(std::int32_t first, Index n, std::int32_t* to) {
    if (n == Tile::kTile)
        for (Index t = 0; t < Tile::kTile; ++t) to[t] = first + static_cast<std::int32_t>(t);
    else
        for (Index t = 0; t < n; ++t) to[t] = first + static_cast<std::int32_t>(t);
}

}  // namespace

Tile::Tile(const Simulator& simulator)
    : observation_size(simulator.observation_size()), action_size_(simulator.action_size()),
      is_discrete_(simulator.n_actions() > 0), observations_(group_array(kTile * observation_size)),
      actions_(group_array(kTile * action_size_)), rewards_(group_array(kTile)), log_probs_(group_array(kTile)) {
    endings_.reserve(kTile * kGroup);
}

void Tile::begin(const EpisodeGroup& group) {
    endings_.clear();
    for (Index lane = 0; lane < kGroup; ++lane) first_time_[lane] = static_cast<std::int32_t>(group.time(lane));
}

void Tile::end(Index t, const Ends& ends) {
    for_each_lane(ends.terminated, [&](int lane) { endings_.push_back({t, lane, kTerminated}); });
    for_each_lane(ends.truncated, [&](int lane) { endings_.push_back({t, lane, kTruncated}); });
}

void Tile::write(Index n, const std::array<Place, kGroup>& places, bool streams) const {
    const auto column_places = [&]<class T>(Index size, Column<T> Recording::*column) {
        std::array<T*, kGroup> to{};
        for (Index lane = 0; lane < kGroup; ++lane)
            if (Recording* const recording = places[lane].recording)
                to[lane] = (recording->*column).data() + places[lane].entry * size;
        return to;
    };
    const auto write_column = [&](const Column<double>& from, Index size, Column<double> Recording::*column) {
        const std::array<double*, kGroup> to = column_places(size, column);
        const bool is_aligned = std::all_of(to.begin(), to.end(), [](const double* place) {
            return reinterpret_cast<std::uintptr_t>(place) % sizeof(Lanes) == 0;
        });
        if (streams && is_aligned)
            spread(from.data(), n * size, to, [](double* place, Lanes x) { stream(place, x); });
        else
            spread(from.data(), n * size, to, [](double* place, Lanes x) { store(place, x); });
    };
    write_column(observations_, observation_size, &Recording::observations);
    if (is_discrete_)
        spread(actions_.data(), n, column_places(1, &Recording::choices), store_choices);
    else
        write_column(actions_, action_size_, &Recording::actions);
    write_column(rewards_, 1, &Recording::rewards);
    write_column(log_probs_, 1, &Recording::log_probs);
    for (Index lane = 0; lane < kGroup; ++lane) {
        const auto [recording, entry] = places[lane];
        if (recording == nullptr) continue;
        count_from(first_time_[lane], n, recording->time.data() + entry);
        std::memset(recording->flags.data() + entry, 0, static_cast<std::size_t>(n));
    }
    for (const Ending& ending : endings_) {
        const auto [recording, entry] = places[ending.lane];
        if (recording == nullptr) continue;
        recording->flags[entry + ending.step] = ending.flag;
        count_from(0, n - ending.step - 1, recording->time.data() + entry + ending.step + 1);
    }
}

}  // namespace npgfast
