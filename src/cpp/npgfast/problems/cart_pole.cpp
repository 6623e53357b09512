#include "npgfast/problems/cart_pole.hpp"

#include <algorithm>

#include "npgfast/base/lane_math.hpp"

namespace npgfast {

void CartPole::start(double* state, Stream& random) const {
    std::generate_n(state, 4, [&] { return random.uniform(-kLargestStart, kLargestStart); });
}

void CartPole::step(Index n, double* states, const double* actions, const double*, double* rewards,
                    std::int64_t* terminated) const {
    for (Index lane = 0; lane < n; lane += kWidth) {
        double* row = states + lane;
        const Lanes velocity = load(row + kGroup), angle = load(row + 2 * kGroup),
                    angular_velocity = load(row + 3 * kGroup);
        const Lanes force = load(actions + lane) == 1.0 ? all_lanes(kForce) : all_lanes(-kForce);
        const auto [sine, cosine] = sine_cosine(angle);
        const Lanes push = (force + kPoleMass * kHalfLength * (angular_velocity * angular_velocity) * sine) / kMass;
        const Lanes angular_acceleration = (kGravity * sine - cosine * push) /
                                           (kHalfLength * (4.0 / 3.0 - kPoleMass * (cosine * cosine) / kMass));
        const Lanes acceleration = push - kPoleMass * kHalfLength * angular_acceleration * cosine / kMass;
        const Lanes position = load(row) + kTimeStep * velocity, next_angle = angle + kTimeStep * angular_velocity;
        store(row, position);
        store(row + kGroup, velocity + kTimeStep * acceleration);
        store(row + 2 * kGroup, next_angle);
        store(row + 3 * kGroup, angular_velocity + kTimeStep * angular_acceleration);
        store(rewards + lane, all_lanes(1.0));
        store(terminated + lane, (magnitude(position) > kLargestPosition) | (magnitude(next_angle) > kLargestAngle));
    }
}

void CartPole::observe(Index, const double* states, double* observations) const {
    std::copy_n(states, 4 * kGroup, observations);
}

}  // namespace npgfast
