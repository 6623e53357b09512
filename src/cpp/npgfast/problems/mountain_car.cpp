#include "npgfast/problems/mountain_car.hpp"

#include <algorithm>

#include "npgfast/base/lane_math.hpp"

namespace npgfast {

namespace {

constexpr double kHillGravity = 0.0025, kLargestSpeed = 0.07, kLeft = -1.2, kRight = 0.6;

struct Car {
    Lanes position, velocity;
};

Car roll(const Car& car, Lanes push) {
    const Lanes pull = kHillGravity * sine_cosine(3.0 * car.position).cosine;
    const Lanes velocity = clamp(car.velocity + (push - pull), all_lanes(-kLargestSpeed), all_lanes(kLargestSpeed));
    const Lanes position = clamp(car.position + velocity, all_lanes(kLeft), all_lanes(kRight));
    const LaneInts hits_wall = (position == kLeft) & (velocity < 0.0);
    return {position, hits_wall ? Lanes{} : velocity};
}

Lanes in_single_precision(Lanes x) {
    typedef float Singles __attribute__((vector_size(sizeof(Lanes) / 2)));
    return __builtin_convertvector(__builtin_convertvector(x, Singles), Lanes);
}

}  // namespace

void Mountain::start(double* state, Stream& random) const {
    state[0] = random.uniform(-0.6, -0.4);
    state[1] = 0.0;
}

void Mountain::observe(Index, const double* states, double* observations) const {
    std::copy_n(states, 2 * kGroup, observations);
}

unsigned MountainCar::step(Index n, double* states, const double* actions, const double*, double* rewards) const {
    unsigned terminated = 0;
    for (Index lane = 0; lane < n; lane += kWidth) {
        double* row = states + lane;
        const Car car = roll({load(row), load(row + kGroup)}, (load(actions + lane) - 1.0) * kForce);
        store(row, car.position);
        store(row + kGroup, car.velocity);
        store(rewards + lane, all_lanes(-1.0));
        terminated |= bits_of((car.position >= kGoal) & (car.velocity >= goal_velocity_)) << lane;
    }
    return terminated;
}

unsigned MountainCarContinuous::step(Index n, double* states, const double* actions, const double*,
                                     double* rewards) const {
    unsigned terminated = 0;
    for (Index lane = 0; lane < n; lane += kWidth) {
        double* row = states + lane;
        const Lanes action = load(actions + lane);
        const Car car = roll({load(row), load(row + kGroup)}, clamp(action, all_lanes(-1.0), all_lanes(1.0)) * kPower);
        const LaneInts at_goal = (car.position >= kGoal) & (car.velocity >= goal_velocity_);
        store(row, in_single_precision(car.position));
        store(row + kGroup, in_single_precision(car.velocity));
        store(rewards + lane, (at_goal ? all_lanes(100.0) : Lanes{}) - action * action * 0.1);
        terminated |= bits_of(at_goal) << lane;
    }
    return terminated;
}

}  // namespace npgfast
