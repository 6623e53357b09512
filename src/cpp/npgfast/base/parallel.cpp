#include "npgfast/base/parallel.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

namespace npgfast {

namespace {

constexpr int kSpins = 2000;  // some tens of microseconds

void pause_briefly() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

/// Returns when `holds()`; sleeps on the atomic after spinning for a while.
template <class T, class Condition>
void wait_until(const std::atomic<T>& value, const Condition& holds) {
    for (int spin = 0; spin < kSpins; ++spin) {
        if (holds(value.load())) return;
        pause_briefly();
    }
    for (T seen = value.load(); !holds(seen); seen = value.load()) value.wait(seen);
}

/// Some schedulers leave a new thread behind its creator for milliseconds while another processor idles: if it has not
/// begun after 30 microseconds, it is moved there, and is free to move again.
void see_off([[maybe_unused]] std::thread& thread, [[maybe_unused]] const std::atomic<int>& n_begun,
             [[maybe_unused]] int n_expected) {
#if defined(__linux__)
    using Clock = std::chrono::steady_clock;
    const auto patience = Clock::now() + std::chrono::microseconds(30);
    while (n_begun.load() < n_expected && Clock::now() < patience) pause_briefly();
    cpu_set_t allowed;
    if (n_begun.load() >= n_expected || sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return;
    cpu_set_t others = allowed;
    CPU_CLR(sched_getcpu(), &others);
    if (CPU_COUNT(&others) == 0) return;
    pthread_setaffinity_np(thread.native_handle(), sizeof(others), &others);
    pthread_setaffinity_np(thread.native_handle(), sizeof(allowed), &allowed);
#endif
}

}  // namespace

bool Team::pays(double microseconds) {
    if (!threads_.empty()) return microseconds >= 40.0;
    microseconds_ += microseconds;
    return microseconds_ >= 250.0;
}

Team::~Team() {
    if (threads_.empty()) return;
    is_over_.store(true);
    ++round_;
    round_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void Team::start(Index n_tasks) {
    const auto n_extra = static_cast<std::size_t>(std::min<Index>(n_threads_, n_tasks) - 1);
    try {
        threads_.reserve(n_extra);
        while (threads_.size() < n_extra) {
            threads_.emplace_back(&Team::serve, this);
            see_off(threads_.back(), n_begun_, static_cast<int>(threads_.size()));
        }
    } catch (const std::exception&) {
        // No more threads, or no memory for them: those that started, and this one, do the work. No exception may leave
        // `run` from here, as they may be at its task.
        n_threads_ = static_cast<int>(threads_.size()) + 1;
    }
}

void Team::serve() {
    ++n_begun_;
    for (std::uint32_t seen = 0;;) {
        wait_until(round_, [&](std::uint32_t round) { return round != seen; });
        seen = round_.load();
        if (is_over_.load()) return;
        // Either this thread sees that the loop is closed, or the caller, who closes it, sees this thread: all four
        // accesses are sequentially consistent.
        ++n_active_;
        if (is_open_.load()) work();
        if (--n_active_ == 0) n_active_.notify_one();
    }
}

void Team::work() {
    try {
        for (Index i = next_++; i < n_tasks_; i = next_++) (*task_)(i);
    } catch (...) {
        next_ = n_tasks_;
        const std::lock_guard lock(guard_);
        if (!failure_) failure_ = std::current_exception();
    }
}

void Team::run(Index n_tasks, const std::function<void(Index)>& task) {
    if (n_threads_ <= 1 || n_tasks <= 1) {
        for (Index i = 0; i < n_tasks; ++i) task(i);
        return;
    }
    // The last loop was closed before its caller left, so no thread reads these now.
    task_ = &task;
    n_tasks_ = n_tasks;
    next_ = 0;
    failure_ = nullptr;
    is_open_.store(true);
    ++round_;
    round_.notify_all();
    start(n_tasks);
    work();
    is_open_.store(false);
    wait_until(n_active_, [](int active) { return active == 0; });
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void parallel_for(Index n_tasks, int n_threads, const std::function<void(Index)>& task) {
    Team(n_threads).run(n_tasks, task);
}

}  // namespace npgfast
