#include "npgfast/problems/acrobot.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "npgfast/base/lane_math.hpp"

namespace npgfast {

namespace {

using State = std::array<Lanes, 4>;

constexpr double kGravity = 9.8, kMass = 1.0, kCentre = 0.5, kInertia = 1.0, kTimeStep = 0.2;
constexpr double kLever = kMass * kCentre;

/// The angles plus the multiples of a turn that bring them to [-pi, pi]; an angle already there keeps its bits.
Lanes wrap_angle(Lanes angle) {
    constexpr double kTurn = 2.0 * std::numbers::pi;
    const Lanes beyond = magnitude(angle) - std::numbers::pi;
    const LaneInts is_outside = beyond > 0.0;
    if (any(is_outside))
        return replace_lanes(angle, is_outside, [&](unsigned k) {
            return angle[k] - std::copysign(kTurn * std::ceil(beyond[k] / kTurn), angle[k]);
        });
    return angle;
}

/// The time derivative of a state.
State differentiate(const State& state, Lanes torque) {
    const auto [q1, q2, speed1, speed2] = state;
    const auto [sine, cosine] = sine_cosine(q2);
    const Lanes d1 = 2.0 * kLever * kCentre + kMass * (1.0 + 2.0 * kCentre * cosine) + 2.0 * kInertia;
    const Lanes d2 = kLever * (kCentre + cosine) + kInertia;
    const Lanes phi2 = kLever * kGravity * sine_cosine(q1 + q2).sine;
    const Lanes phi1 = -kLever * sine * speed2 * (speed2 + 2.0 * speed1) +
                       (kLever + kMass) * kGravity * sine_cosine(q1).sine + phi2;
    const Lanes rate2 = (torque + d2 / d1 * phi1 - kLever * speed1 * speed1 * sine - phi2) /
                        (kLever * kCentre + kInertia - d2 * d2 / d1);
    return {speed1, speed2, -(d2 * rate2 + phi1) / d1, rate2};
}

State runge_kutta_step(const State& state, Lanes torque) {
    constexpr std::array<double, 4> kWeights = {1.0, 2.0, 2.0, 1.0};
    constexpr std::array<double, 4> kNext = {kTimeStep / 2.0, kTimeStep / 2.0, kTimeStep, 0.0};
    State point = state, slope{};
    for (std::size_t stage = 0; stage < 4; ++stage) {
        const State rates = differentiate(point, torque);
        for (std::size_t i = 0; i < 4; ++i) {
            slope[i] += kWeights[stage] * rates[i];
            point[i] = state[i] + kNext[stage] * rates[i];
        }
    }
    for (std::size_t i = 0; i < 4; ++i) point[i] = state[i] + kTimeStep / 6.0 * slope[i];
    return point;
}

}  // namespace

void Acrobot::start(double* state, Stream& random) const {
    std::generate_n(state, 4, [&] { return static_cast<float>(random.uniform(-kLargestStart, kLargestStart)); });
}

unsigned Acrobot::step(Index n, double* states, const double* actions, const double*, double* rewards) const {
    unsigned terminated = 0;
    for (Index lane = 0; lane < n; lane += kWidth) {
        State state;
        for (Index i = 0; i < 4; ++i) state[i] = load(states + i * kGroup + lane);
        state = runge_kutta_step(state, load(actions + lane) - 1.0);
        state[0] = wrap_angle(state[0]);
        state[1] = wrap_angle(state[1]);
        state[2] = clamp(state[2], all_lanes(-kLargestSpeed1), all_lanes(kLargestSpeed1));
        state[3] = clamp(state[3], all_lanes(-kLargestSpeed2), all_lanes(kLargestSpeed2));
        for (Index i = 0; i < 4; ++i) store(states + i * kGroup + lane, state[i]);
        const LaneInts above = -sine_cosine(state[0]).cosine - sine_cosine(state[1] + state[0]).cosine > 1.0;
        store(rewards + lane, above ? Lanes{} : all_lanes(-1.0));
        terminated |= bits_of(above) << lane;
    }
    return terminated;
}

void Acrobot::observe(Index n, const double* states, double* observations) const {
    for (Index lane = 0; lane < n; lane += kWidth) {
        const double* row = states + lane;
        double* to = observations + lane;
        const SineCosine first = sine_cosine(load(row)), second = sine_cosine(load(row + kGroup));
        store(to, first.cosine);
        store(to + kGroup, first.sine);
        store(to + 2 * kGroup, second.cosine);
        store(to + 3 * kGroup, second.sine);
        store(to + 4 * kGroup, load(row + 2 * kGroup));
        store(to + 5 * kGroup, load(row + 3 * kGroup));
    }
}

}  // namespace npgfast
