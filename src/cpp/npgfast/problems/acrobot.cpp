#include "npgfast/problems/acrobot.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace npgfast {

namespace {

/// The angle plus the multiple of a turn that brings it to [-pi, pi]; an angle already there keeps its bits.
double wrap_angle(double angle) {
    constexpr double kTurn = 2.0 * std::numbers::pi;
    const double beyond = std::abs(angle) - std::numbers::pi;
    return beyond > 0.0 ? angle - std::copysign(kTurn * std::ceil(beyond / kTurn), angle) : angle;
}

}  // namespace

void Acrobot::start(double* state, Stream& random) const {
    std::generate_n(state, 4, [&] { return static_cast<float>(random.uniform(-kLargestStart, kLargestStart)); });
}

void Acrobot::differentiate(const double* state, double torque, double* rates) {
    const double q1 = state[0], q2 = state[1], speed1 = state[2], speed2 = state[3];
    const double cosine = std::cos(q2), sine = std::sin(q2);
    const double lever = kMass * kCentre;
    const double d1 = 2.0 * lever * kCentre + kMass * (1.0 + 2.0 * kCentre * cosine) + 2.0 * kInertia;
    const double d2 = lever * (kCentre + cosine) + kInertia;
    const double phi2 = lever * kGravity * std::sin(q1 + q2);
    const double phi1 = -lever * sine * speed2 * (speed2 + 2.0 * speed1) +
                        (lever + kMass) * kGravity * std::sin(q1) + phi2;
    rates[0] = speed1;
    rates[1] = speed2;
    rates[3] = (torque + d2 / d1 * phi1 - lever * speed1 * speed1 * sine - phi2) /
               (lever * kCentre + kInertia - d2 * d2 / d1);
    rates[2] = -(d2 * rates[3] + phi1) / d1;
}

Transition Acrobot::step(double* state, const double* action, Stream&) const {
    const double torque = action[0] - 1.0;
    std::array<double, 4> rates, point, slope{};
    std::copy_n(state, 4, point.begin());
    constexpr std::array<double, 4> kWeights = {1.0, 2.0, 2.0, 1.0};
    constexpr std::array<double, 4> kNext = {kTimeStep / 2.0, kTimeStep / 2.0, kTimeStep, 0.0};
    for (std::size_t stage = 0; stage < 4; ++stage) {
        differentiate(point.data(), torque, rates.data());
        for (std::size_t i = 0; i < 4; ++i) {
            slope[i] += kWeights[stage] * rates[i];
            point[i] = state[i] + kNext[stage] * rates[i];
        }
    }
    for (std::size_t i = 0; i < 4; ++i) state[i] += kTimeStep / 6.0 * slope[i];
    state[0] = wrap_angle(state[0]);
    state[1] = wrap_angle(state[1]);
    state[2] = std::clamp(state[2], -kLargestSpeed1, kLargestSpeed1);
    state[3] = std::clamp(state[3], -kLargestSpeed2, kLargestSpeed2);
    const bool above = -std::cos(state[0]) - std::cos(state[1] + state[0]) > 1.0;
    return {above ? 0.0 : -1.0, above};
}

void Acrobot::observe(const double* state, double* observation) const {
    observation[0] = std::cos(state[0]);
    observation[1] = std::sin(state[0]);
    observation[2] = std::cos(state[1]);
    observation[3] = std::sin(state[1]);
    observation[4] = state[2];
    observation[5] = state[3];
}

}  // namespace npgfast
