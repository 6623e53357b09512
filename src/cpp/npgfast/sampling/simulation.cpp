#include "npgfast/sampling/simulation.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <stdexcept>

#include "npgfast/base/lane_math.hpp"
#include "npgfast/base/parallel.hpp"

namespace npgfast {

namespace {

constexpr Index kTile = 16;
constexpr Index kLongestSimulation = Index{1} << 26;
constexpr Index kLongStep = 1 << 14;  ///< steps that are worth a thread

using LaneRow = std::array<std::int64_t, kGroup>;

[[noreturn]] void refuse_endless_simulation() {
    throw std::invalid_argument("env: an episode did not end within 2**26 steps; give n_steps or a time limit");
}

/// Lanes are sets of bits.
template <class Visit>
void for_each_lane(unsigned lanes, const Visit& visit) {
    for (; lanes != 0; lanes &= lanes - 1) visit(std::countr_zero(lanes));
}

/// What the draws of an episode are for.
struct Purposes {
    Purpose start, action, dynamics;
};
constexpr Purposes kPlaying{Purpose::start, Purpose::step, Purpose::dynamics};
constexpr Purposes kEvaluating{Purpose::evaluation_start, Purpose::evaluation_action, Purpose::evaluation_dynamics};

/// Where a group of environments stands: states and times in their episodes, at a step of all.
class Group {
public:
    Group(const Environment& environment, std::uint64_t seed, std::uint32_t iteration, Index first, Index n,
          const Purposes& purposes)
        : environment_(environment), simulator_(environment.simulator), n_(n), seed_(seed), iteration_(iteration),
          first_(static_cast<std::uint32_t>(first)), purposes_(purposes), states_(group_array(simulator_.state_size())),
          clipped_(group_array(simulator_.action_size())), noise_(group_array(2 * simulator_.noise_size())),
          one_(static_cast<std::size_t>(simulator_.state_size())) {}

    const LaneRow& time() const { return time_; }
    GroupStream stream_of_actions() const { return stream(purposes_.action); }

    /// Takes the places of `standing` (n, 1 + state size); returns the lanes before their first episode.
    unsigned stand(Reals standing) {
        const Index width = environment_.standing_size();
        unsigned fresh = 0;
        for (Index lane = 0; lane < n_; ++lane) {
            const double* place = standing.data() + lane * width;
            fresh |= (place[0] >= 0.0 ? 0u : 1u) << lane;
            time_[lane] = static_cast<std::int64_t>(std::min(place[0], double{1 << 30}));
            for (Index i = 1; i < width; ++i) states_[(i - 1) * kGroup + lane] = place[i];
        }
        return fresh;
    }

    /// The reverse.
    void leave(MutableReals standing, unsigned fresh) const {
        const Index width = environment_.standing_size();
        for (Index lane = 0; lane < n_; ++lane) {
            double* place = standing.data() + lane * width;
            place[0] = fresh >> lane & 1 ? -1.0 : static_cast<double>(time_[lane]);
            for (Index i = 1; i < width; ++i) place[i] = states_[(i - 1) * kGroup + lane];
        }
    }

    void set_step(Index t) { now_.fill(t); }

    /// Begins an episode in each of the lanes, a bit for each.
    void start(unsigned lanes) {
        for_each_lane(lanes, [&](int lane) {
            Stream random(seed_, iteration_, first_ + static_cast<std::uint32_t>(lane),
                          static_cast<std::uint32_t>(now_[0]), purposes_.start);
            simulator_.start(one_.data(), random);
            for (Index i = 0; i < std::ssize(one_); ++i) states_[i * kGroup + lane] = one_[i];
            time_[lane] = 0;
        });
    }

    void observe(double* observations) const { simulator_.observe(n_, states_.data(), observations); }

    /// Moves every lane by its action and its time by 1. Outputs: rewards, flags (kGroup,). Returns the lanes that ended.
    unsigned step(const double* actions, double* rewards, std::int64_t* flags) {
        if (!environment_.action_low.empty()) actions = clip(actions);
        const Index n_noise = simulator_.noise_size(), is_odd = now_[0] & 1;
        if (n_noise > 0 && !is_odd) stream(purposes_.dynamics).normals(n_, 2, n_noise, noise_.data());
        simulator_.step(n_, states_.data(), actions, noise_.data() + is_odd * n_noise * kGroup, rewards, flags);
        unsigned ended = 0;
        for (Index lane = 0; lane < n_; lane += kWidth) {
            const LaneInts time = load(time_.data() + lane) + 1;
            const LaneInts terminated = load(flags + lane) | (time == environment_.horizon);
            const LaneInts truncated = ~terminated & (time == environment_.time_limit);
            store(flags + lane, (terminated & std::int64_t{kTerminated}) | (truncated & std::int64_t{kTruncated}));
            store(time_.data() + lane, time & ~(terminated | truncated));
            ended |= bits_of(terminated | truncated) << lane;
        }
        return ended;
    }

    /// Zeros for lanes that are not played any more: they go on, and must not run away into slow arithmetic.
    void forget(unsigned lanes) {
        for_each_lane(lanes, [&](int lane) {
            for (Index i = 0; i < std::ssize(one_); ++i) states_[i * kGroup + lane] = 0.0;
        });
    }

private:
    GroupStream stream(Purpose purpose) const { return {seed_, iteration_, first_, now_.data(), purpose}; }

    const double* clip(const double* actions) {
        for (Index k = 0; k < std::ssize(environment_.action_low); ++k)
            for (Index lane = k * kGroup; lane < k * kGroup + n_; lane += kWidth)
                store(clipped_.data() + lane, clamp(load(actions + lane), all_lanes(environment_.action_low[k]),
                                                    all_lanes(environment_.action_high[k])));
        return clipped_.data();
    }

    const Environment& environment_;
    const Simulator& simulator_;
    Index n_;
    std::uint64_t seed_;
    std::uint32_t iteration_, first_;
    const Purposes& purposes_;
    Column<double> states_, clipped_, noise_;
    std::vector<double> one_;
    LaneRow time_{}, now_{};
};

/// Column k of rows (n_rows, kGroup) into to[k], unless that is null.
template <class Places>
void spread(const double* rows, Index n_rows, const Places& to) {
    for (Index lane = 0; lane < kGroup; lane += kWidth) {
        Index row = 0;
        for (; row + kWidth <= n_rows; row += kWidth) {
            Lanes block[kWidth];
            for (Index i = 0; i < kWidth; ++i) block[i] = load(rows + (row + i) * kGroup + lane);
            transpose(block);
            for (Index k = 0; k < kWidth; ++k)
                if (to[lane + k] != nullptr) store(to[lane + k] + row, block[k]);
        }
        for (; row < n_rows; ++row)
            for (Index k = 0; k < kWidth; ++k)
                if (to[lane + k] != nullptr)  // what is there may be words, not doubles
                    std::memcpy(to[lane + k] + row, rows + row * kGroup + lane + k, sizeof *rows);
    }
}

/// kTile steps of a group, before they are written out, one environment after another.
struct Tile {
    const Index observation_size, action_size;
    const bool is_discrete;
    Column<double> observations, actions, rewards, log_probs, words;  ///< (kTile, size, kGroup)

    explicit Tile(const Simulator& simulator)
        : observation_size(simulator.observation_size()), action_size(simulator.action_size()),
          is_discrete(simulator.n_actions() > 0), observations(group_array(kTile * observation_size)),
          actions(group_array(kTile * action_size)), rewards(group_array(kTile)), log_probs(group_array(kTile)),
          words(group_array(kTile)) {}

    /// Keeps the small numbers of step t in a word: the time in 32 bits, flags in 8, a discrete action in 24.
    void keep(Index t, const LaneRow& time, const std::int64_t* flags) {
        for (Index lane = 0; lane < kGroup; lane += kWidth) {
            LaneInts word = (load(time.data() + lane) & std::int64_t{0x7fffffff}) | load(flags + lane) << 32;
            if (is_discrete)
                word |= (LaneInts)(nearest_integer(load(actions.data() + t * kGroup + lane)).bits << 40);
            store(words.data() + t * kGroup + lane, (Lanes)word);
        }
    }

    /// Writes n steps of each lane that has a recording, from its entry on.
    void write(Index n, const std::array<Recording*, kGroup>& records, const std::array<Index, kGroup>& entries) const {
        const auto write_column = [&](const Column<double>& from, Index size, auto column) {
            std::array<double*, kGroup> to{};
            for (Index lane = 0; lane < kGroup; ++lane)
                if (records[lane] != nullptr) to[lane] = ((*records[lane]).*column).data() + entries[lane] * size;
            spread(from.data(), n * size, to);
        };
        write_column(observations, observation_size, &Recording::observations);
        if (!is_discrete) write_column(actions, action_size, &Recording::actions);
        write_column(rewards, 1, &Recording::rewards);
        write_column(log_probs, 1, &Recording::log_probs);
        std::array<std::array<std::int64_t, kTile>, kGroup> small;
        std::array<double*, kGroup> to;
        for (Index lane = 0; lane < kGroup; ++lane) to[lane] = reinterpret_cast<double*>(small[lane].data());
        spread(words.data(), n, to);
        for (Index lane = 0; lane < kGroup; ++lane) {
            if (records[lane] == nullptr) continue;
            Recording& record = *records[lane];
            const auto& word = small[lane];
            const Index entry = entries[lane];
            for (Index t = 0; t < n; ++t) record.time[entry + t] = static_cast<std::int32_t>(word[t]);
            for (Index t = 0; t < n; ++t) record.flags[entry + t] = static_cast<std::uint8_t>(word[t] >> 32);
            if (is_discrete)
                for (Index t = 0; t < n; ++t) record.choices[entry + t] = static_cast<std::int32_t>(word[t] >> 40);
        }
    }
};

/// What was reached where episodes were cut: at (lane, step), in the order of steps, observations (c, D).
struct Cuts {
    std::vector<std::pair<int, Index>> places;
    std::vector<double> observations;
};

/// Plays n environments and hands on the tiles: write(length, lanes begun, steps of each lane).
template <class Write>
void play(Group& group, Tile& tile, Actor& actor, Index n, Index n_steps, MutableReals standing, Cuts& cuts,
          const Write& write, const Interrupt& interrupt) {
    const unsigned all = (1u << n) - 1;
    const Index limit = n_steps > 0 ? n_steps : kLongestSimulation, size = tile.observation_size;
    unsigned fresh = standing.empty() ? all : group.stand(standing), playing = all;
    Column<double> reached = group_array(size), numbers = group_array(kTile * actor.n_numbers());
    const Index n_numbers = actor.n_numbers() * kGroup;
    LaneRow time, flags;
    for (Index first = 0; playing != 0; first += kTile) {
        if (first >= limit) {
            if (n_steps > 0) break;
            refuse_endless_simulation();
        }
        interrupt.check();
        const Index length = std::min(kTile, limit - first);
        std::array<Index, kGroup> played;
        played.fill(length);
        const unsigned begun = playing;
        for (Index t = 0; t < length && playing != 0; ++t) {
            const Index row = t * kGroup;
            group.set_step(first + t);
            group.start(fresh);
            time = group.time();
            double *observations = tile.observations.data() + row * size,
                   *actions = tile.actions.data() + row * tile.action_size;
            group.observe(observations);
            if (t == 0) actor.take_numbers(n, group.stream_of_actions(), length, numbers.data());
            actor.draw(n, observations, numbers.data() + t * n_numbers, actions, tile.log_probs.data() + row);
            const unsigned stopped = group.step(actions, tile.rewards.data() + row, flags.data());
            tile.keep(t, time, flags.data());
            const unsigned ended = stopped & playing;
            unsigned cut = n_steps == first + t + 1 ? playing & ~ended : 0;
            for_each_lane(ended, [&](int lane) { cut |= (flags[lane] == kTruncated ? 1u : 0u) << lane; });
            if (cut != 0) group.observe(reached.data());
            for_each_lane(cut, [&](int lane) {
                cuts.places.emplace_back(lane, first + t);
                for (Index j = 0; j < size; ++j) cuts.observations.push_back(reached[j * kGroup + lane]);
            });
            group.forget(n_steps > 0 ? stopped & ~playing : stopped);
            fresh = n_steps > 0 ? ended : 0;
            if (n_steps > 0) continue;
            for_each_lane(ended, [&](int lane) { played[lane] = t + 1; });
            playing &= ~ended;
        }
        write(length, begun, played);
    }
    if (!standing.empty()) group.leave(standing, fresh);
}

/// The cuts of a recording whose columns and offsets are complete.
void place_cuts(const std::vector<Cuts>& cuts, Recording& record) {
    const Index size = record.observation_size;
    for (std::size_t g = 0; g < cuts.size(); ++g) {
        std::vector<std::pair<Index, Index>> order;  // entry, row
        for (const auto& [lane, step] : cuts[g].places)
            order.emplace_back(record.offsets[g * kGroup + static_cast<std::size_t>(lane)] + step, std::ssize(order));
        std::sort(order.begin(), order.end());
        for (const auto& [entry, row] : order) {
            record.cut.push_back(entry);
            const auto from = cuts[g].observations.begin() + row * size;
            record.cut_observations.insert(record.cut_observations.end(), from, from + size);
        }
    }
}

/// The steps of one recording after those of another; cuts are placed later.
void append(Recording& whole, const Recording& part) {
    const auto join = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
    join(whole.observations, part.observations);
    join(whole.actions, part.actions);
    join(whole.choices, part.choices);
    join(whole.rewards, part.rewards);
    join(whole.log_probs, part.log_probs);
    join(whole.time, part.time);
    join(whole.flags, part.flags);
    whole.offsets.push_back(whole.n_steps());
}

}  // namespace

Recording simulate(const Environment& environment, const LinearPolicy& policy, Reals theta,
                   const SimulationOptions& options, MutableReals standing, const Interrupt& interrupt) {
    const Index n_envs = options.n_envs, n_steps = options.n_steps, width = environment.standing_size();
    const Index n_groups = (n_envs + kGroup - 1) / kGroup;
    const bool is_short = n_steps > 0 && n_envs * n_steps < kLongStep;
    Recording whole;
    whole.observation_size = environment.simulator.observation_size();
    whole.action_size = environment.simulator.n_actions() > 0 ? 0 : environment.simulator.action_size();
    whole.resize(n_envs * n_steps);
    std::vector<Recording> episodes(n_steps > 0 ? 0 : static_cast<std::size_t>(n_envs), whole);
    std::vector<Cuts> cuts(static_cast<std::size_t>(n_groups));
    parallel_for(n_groups, is_short ? 1 : options.n_threads, [&](Index g) {
        const Index first = g * kGroup, n = std::min(kGroup, n_envs - first);
        Group group(environment, options.seed, options.iteration, first, n, kPlaying);
        Tile tile(environment.simulator);
        Actor actor(policy, theta);
        std::array<Recording*, kGroup> records{};
        std::array<Index, kGroup> entries{};
        for (Index lane = 0; lane < n; ++lane) {
            records[lane] = n_steps > 0 ? &whole : &episodes[first + lane];
            entries[lane] = n_steps > 0 ? (first + lane) * n_steps : 0;
        }
        const auto write = [&](Index length, unsigned lanes, const std::array<Index, kGroup>& played) {
            for (Index lane = 0; lane < n; ++lane)
                if (lanes >> lane & 1) {
                    if (n_steps == 0) records[lane]->resize(entries[lane] + length);
                } else {
                    records[lane] = nullptr;
                }
            tile.write(length, records, entries);
            for_each_lane(lanes, [&](int lane) {
                entries[lane] += played[lane];
                if (n_steps == 0) records[lane]->resize(entries[lane]);
            });
        };
        play(group, tile, actor, n, n_steps, standing.empty() ? standing : standing.subspan(first * width, n * width),
             cuts[g], write, interrupt);
    });
    if (n_steps > 0)
        for (Index e = 0; e < n_envs; ++e) whole.offsets.push_back((e + 1) * n_steps);
    for (const Recording& episode : episodes) append(whole, episode);
    place_cuts(cuts, whole);
    return whole;
}

std::vector<double> episode_returns(const Environment& environment, const LinearPolicy& policy, Reals theta,
                                    bool deterministic, Index first, Index n, std::uint64_t seed,
                                    std::uint32_t iteration, const Interrupt& interrupt) {
    const Simulator& simulator = environment.simulator;
    Actor actor(policy, theta);
    Column<double> observations = group_array(simulator.observation_size()),
                   actions = group_array(simulator.action_size()), numbers = group_array(2 * actor.n_numbers());
    std::array<double, kGroup> rewards{}, log_probs;
    std::array<std::int64_t, kGroup> flags;
    std::vector<double> returns(static_cast<std::size_t>(n));
    for (Index i = 0; i < n; i += kGroup) {
        const Index size = std::min(kGroup, n - i);
        Group group(environment, seed, iteration, first + i, size, kEvaluating);
        std::array<double, kGroup> sums{};
        unsigned playing = (1u << size) - 1;
        group.set_step(0);
        group.start(playing);
        for (Index t = 0; playing != 0; ++t) {
            if (t == kLongestSimulation) refuse_endless_simulation();
            if (t % kInterruptPeriod == 0) interrupt.check();
            group.set_step(t);
            group.observe(observations.data());
            if (deterministic) {
                actor.mode(size, observations.data(), actions.data());
            } else {
                if (t % 2 == 0) actor.take_numbers(size, group.stream_of_actions(), 2, numbers.data());
                actor.draw(size, observations.data(), numbers.data() + t % 2 * actor.n_numbers() * kGroup, actions.data(), log_probs.data());
            }
            const unsigned stopped = group.step(actions.data(), rewards.data(), flags.data());
            for (Index lane = 0; lane < kGroup; ++lane) sums[lane] += rewards[lane];
            for_each_lane(stopped & playing, [&](int lane) { returns[i + lane] = sums[lane]; });
            group.forget(stopped);
            playing &= ~stopped;
        }
    }
    return returns;
}

}  // namespace npgfast
