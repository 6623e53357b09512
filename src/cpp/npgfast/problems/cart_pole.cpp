#include "npgfast/problems/cart_pole.hpp"

#include <algorithm>

#include "npgfast/base/lane_math.hpp"

namespace npgfast {

void CartPole::start(double* state, Stream& random) const {
    std::generate_n(state, 4, [&] { return random.uniform(-kLargestStart, kLargestStart); });
}

unsigned CartPole::step(Index n, double* states, const double* actions, const double*, double* rewards) const {
    unsigned terminated = 0;
    for (Index lane = 0; lane < n; lane += kWidth) {
        double* row = states + lane;
        const Lanes velocity = load(row + kGroup), angle = load(row + 2 * kGroup),
                    angular_velocity = load(row + 3 * kGroup);
        const Lanes force = load(actions + lane) == 1.0 ? all_lanes(kForce) : all_lanes(-kForce);
        const auto [sine, cosine] = sine_cosine(angle);
        const Lanes push =
            multiply_add(kMoment * (angular_velocity * angular_velocity), sine, force) * (1.0 / kMass);
        const Lanes angular_acceleration =
            multiply_add(-cosine, push, kGravity * sine) /
            multiply_add(cosine * cosine, -kMoment / kMass, 4.0 / 3.0 * kHalfLength);
        const Lanes acceleration = multiply_add(angular_acceleration * cosine, -kMoment / kMass, push);
        const Lanes position = multiply_add(velocity, kTimeStep, load(row)),
                    next_angle = multiply_add(angular_velocity, kTimeStep, angle);
        store(row, position);
        store(row + kGroup, multiply_add(acceleration, kTimeStep, velocity));
        store(row + 2 * kGroup, next_angle);
        store(row + 3 * kGroup, multiply_add(angular_acceleration, kTimeStep, angular_velocity));
        store(rewards + lane, all_lanes(1.0));
        const LaneInts is_out = (magnitude(position) > kLargestPosition) | (magnitude(next_angle) > kLargestAngle);
        terminated |= bits_of(is_out) << lane;
    }
    return terminated;
}

void CartPole::observe(Index, const double* states, double* observations) const {
    std::copy_n(states, 4 * kGroup, observations);
}

}  // namespace npgfast
