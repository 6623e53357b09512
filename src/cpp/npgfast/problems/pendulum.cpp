#include "npgfast/problems/pendulum.hpp"

#include <cmath>
#include <numbers>

#include "npgfast/base/lane_math.hpp"

namespace npgfast {

namespace {

/// The angles from upright in [-pi, pi).
Lanes signed_angle(Lanes angle) {
    constexpr double kPi = std::numbers::pi, kTurn = 2.0 * kPi;
    constexpr double kTurnHigh = 0x1.921fb54p+2, kTurnLow = kTurn - kTurnHigh;  // 29 and 24 bits
    const Lanes shifted = angle + kPi;
    const Lanes nearest = nearest_integer(shifted / kTurn).value;
    Lanes rest = (shifted - nearest * kTurnHigh) - nearest * kTurnLow;  // in half a turn of 0
    rest = rest < 0.0 ? rest + kTurn : rest;
    const LaneInts is_far = ~(magnitude(angle) <= 1e6);
    if (any(is_far))
        rest = replace_lanes(rest, is_far, [&](unsigned k) {
            const double remainder = std::fmod(shifted[k], kTurn);
            return remainder < 0.0 ? remainder + kTurn : remainder;
        });
    return rest - kPi;
}

}  // namespace

void Pendulum::start(double* state, Stream& random) const {
    state[0] = random.uniform(-std::numbers::pi, std::numbers::pi);
    state[1] = random.uniform(-1.0, 1.0);
}

unsigned Pendulum::step(Index n, double* states, const double* actions, const double*, double* rewards) const {
    for (Index lane = 0; lane < n; lane += kWidth) {
        const Lanes angle = load(states + lane), speed = load(states + kGroup + lane);
        const Lanes torque = clamp(load(actions + lane), all_lanes(-kLargestTorque), all_lanes(kLargestTorque));
        const Lanes from_upright = signed_angle(angle);
        const Lanes cost = from_upright * from_upright + 0.1 * speed * speed + 0.001 * torque * torque;
        const Lanes acceleration = 1.5 * gravity_ * sine_cosine(angle).sine + 3.0 * torque;
        const Lanes next =
            clamp(speed + acceleration * kTimeStep, all_lanes(-kLargestSpeed), all_lanes(kLargestSpeed));
        store(states + lane, angle + next * kTimeStep);
        store(states + kGroup + lane, next);
        store(rewards + lane, -cost);
    }
    return 0;
}

void Pendulum::observe(Index n, const double* states, double* observations) const {
    for (Index lane = 0; lane < n; lane += kWidth) {
        const auto [sine, cosine] = sine_cosine(load(states + lane));
        store(observations + lane, cosine);
        store(observations + kGroup + lane, sine);
        store(observations + 2 * kGroup + lane, load(states + kGroup + lane));
    }
}

}  // namespace npgfast
