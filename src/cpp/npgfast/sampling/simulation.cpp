#include "npgfast/sampling/simulation.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "npgfast/base/parallel.hpp"
#include "npgfast/base/stream.hpp"
#include "npgfast/sampling/tile.hpp"

namespace npgfast {

namespace {

constexpr Index kTile = Tile::kTile;
constexpr Index kLongestSimulation = Index{1} << 26;
constexpr Index kLongStep = 1 << 14;  ///< steps that are worth a thread
constexpr Index kStreamedSteps = 1 << 18;  ///< steps that no cache holds

[[noreturn]] void refuse_endless_simulation() {
    throw std::invalid_argument("env: an episode did not end within 2**26 steps; give n_steps or a time limit");
}

/// What was reached where episodes were cut: at (lane, step), in the order of steps, observations (c, D).
struct Cuts {
    std::vector<std::pair<int, Index>> places;
    std::vector<double> observations;
};

/// Keeps what the lanes have reached at a step that cuts them.
void keep_cuts(const EpisodeGroup& group, unsigned lanes, Index step, Column<double>& reached, Cuts& cuts) {
    if (lanes == 0) return;
    group.observe(reached.data());
    for_each_lane(lanes, [&](int lane) {
        cuts.places.emplace_back(lane, step);
        for (Index j = lane; j < std::ssize(reached); j += kGroup) cuts.observations.push_back(reached[j]);
    });
}

/// Plays the environments of a group and hands on the tiles: write(length, lanes begun, steps of each lane).
template <class Write>
void play(EpisodeGroup& group, Tile& tile, Actor& actor, Index n_steps, MutableReals standing, Cuts& cuts,
          const Write& write, const Interrupt& interrupt) {
    const bool is_resumed = n_steps > 0;
    const Index limit = is_resumed ? n_steps : kLongestSimulation, n = group.size();
    const Index n_numbers = actor.n_numbers() * kGroup;
    unsigned fresh = standing.empty() ? group.lanes() : group.stand(standing), playing = group.lanes();
    Column<double> reached = group_array(tile.observation_size), numbers = group_array(kTile * actor.n_numbers()),
                   sums = group_array(kTile);
    for (Index first = 0; playing != 0; first += kTile) {
        if (first >= limit) {
            if (is_resumed) break;
            refuse_endless_simulation();
        }
        interrupt.check();
        const Index length = std::min(kTile, limit - first);
        std::array<Index, kGroup> played;
        played.fill(length);
        const unsigned begun = playing;
        group.start(fresh);
        tile.begin(group);
        fresh = 0;
        actor.take_numbers(n, group.stream_of_actions(), length, numbers.data());
        for (Index t = 0; t < length && playing != 0; ++t) {
            group.start(fresh);
            fresh = 0;
            group.observe(tile.observations(t));
            actor.draw(n, tile.observations(t), numbers.data() + t * n_numbers, tile.actions(t), tile.log_probs(t),
                       sums.data() + t * kGroup);
            const Ends ends = group.step(tile.actions(t), tile.rewards(t));
            if (ends.all() == 0) [[likely]]
                continue;
            const unsigned ended = ends.all() & playing;
            tile.end(t, ends);
            keep_cuts(group, ends.truncated & playing, first + t, reached, cuts);
            if (is_resumed) {
                group.forget(ends.all() & ~playing);
                fresh = ended;
                continue;
            }
            group.forget(ends.all());
            for_each_lane(ended, [&](int lane) { played[lane] = t + 1; });
            playing &= ~ended;
        }
        actor.complete(n, length, sums.data(), tile.log_probs(0));
        write(length, begun, played);
    }
    if (is_resumed) keep_cuts(group, playing & ~fresh, n_steps - 1, reached, cuts);
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
    const bool streams = n_envs * n_steps > kStreamedSteps;
    Recording whole;
    whole.observation_size = environment.simulator.observation_size();
    whole.action_size = environment.simulator.n_actions() > 0 ? 0 : environment.simulator.action_size();
    whole.resize(n_envs * n_steps);
    std::vector<Recording> episodes(n_steps > 0 ? 0 : static_cast<std::size_t>(n_envs), whole);
    std::vector<Cuts> cuts(static_cast<std::size_t>(n_groups));
    parallel_for(n_groups, is_short ? 1 : options.n_threads, [&](Index g) {
        const Index first = g * kGroup, n = std::min(kGroup, n_envs - first);
        EpisodeGroup group(environment, options.seed, options.iteration, first, n, kPlaying);
        Tile tile(environment.simulator);
        Actor actor(policy, theta);
        std::array<Place, kGroup> places;
        for (Index lane = 0; lane < n; ++lane)
            places[lane] = n_steps > 0 ? Place{&whole, (first + lane) * n_steps} : Place{&episodes[first + lane], 0};
        const auto write = [&](Index length, unsigned lanes, const std::array<Index, kGroup>& played) {
            if (n_steps == 0)
                for (Index lane = 0; lane < n; ++lane) {
                    if (!(lanes >> lane & 1)) places[lane].recording = nullptr;
                    else places[lane].recording->resize(places[lane].entry + length);
                }
            tile.write(length, places, streams);
            for_each_lane(lanes, [&](int lane) {
                places[lane].entry += played[lane];
                if (n_steps == 0) places[lane].recording->resize(places[lane].entry);
            });
        };
        play(group, tile, actor, n_steps, standing.empty() ? standing : standing.subspan(first * width, n * width),
             cuts[g], write, interrupt);
        if (streams) finish_streams();
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
    const Index n_numbers = actor.n_numbers() * kGroup;
    Column<double> observations = group_array(simulator.observation_size()),
                   actions = group_array(simulator.action_size()), numbers = group_array(kTile * actor.n_numbers());
    std::array<double, kGroup> rewards{}, log_probs, exponentials;
    std::vector<double> returns(static_cast<std::size_t>(n));
    for (Index i = 0; i < n; i += kGroup) {
        const Index size = std::min(kGroup, n - i);
        EpisodeGroup group(environment, seed, iteration, first + i, size, kEvaluating);
        std::array<double, kGroup> sums{};
        unsigned playing = group.lanes();
        group.start(playing);
        for (Index t = 0; playing != 0; ++t) {
            if (t == kLongestSimulation) refuse_endless_simulation();
            if (t % kInterruptPeriod == 0) interrupt.check();
            group.observe(observations.data());
            if (deterministic) {
                actor.mode(size, observations.data(), actions.data());
            } else {
                const Index row = t % kTile;
                if (row == 0) actor.take_numbers(size, group.stream_of_actions(), kTile, numbers.data());
                actor.draw(size, observations.data(), numbers.data() + row * n_numbers, actions.data(),
                           log_probs.data(), exponentials.data());
            }
            const unsigned ended = group.step(actions.data(), rewards.data()).all();
            for (Index lane = 0; lane < kGroup; ++lane) sums[lane] += rewards[lane];
            if (ended == 0) [[likely]]
                continue;
            for_each_lane(ended & playing, [&](int lane) { returns[i + lane] = sums[lane]; });
            group.forget(ended);
            playing &= ~ended;
        }
    }
    return returns;
}

}  // namespace npgfast
