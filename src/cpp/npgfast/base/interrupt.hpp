#pragma once

#include <atomic>
#include <cstddef>
#include <exception>

namespace npgfast {

/// Thrown out of a long computation whose caller has asked it to stop; nothing of its result is kept.
struct Interrupted : std::exception {
    const char* what() const noexcept override { return "interrupted"; }
};

/// Cheap steps between two looks at the flag: well under a millisecond of work.
inline constexpr std::ptrdiff_t kInterruptPeriod = 1 << 14;

/// A flag that a caller raises from another thread. Long loops look at it at least every few milliseconds.
class Interrupt {
public:
    void request() { requested_.store(true, std::memory_order_relaxed); }
    void check() const {
        if (requested_.load(std::memory_order_relaxed)) throw Interrupted{};
    }

private:
    std::atomic<bool> requested_{false};
};

}  // namespace npgfast
