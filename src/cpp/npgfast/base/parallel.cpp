#include "npgfast/base/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace npgfast {

void parallel_for(Index n_tasks, int n_threads, const std::function<void(Index)>& task) {
    std::atomic<Index> next{0};
    std::exception_ptr failure;
    std::mutex guard;
    const auto work = [&] {
        try {
            for (Index i = next++; i < n_tasks; i = next++) task(i);
        } catch (...) {
            next = n_tasks;
            const std::lock_guard lock(guard);
            if (!failure) failure = std::current_exception();
        }
    };
    std::vector<std::jthread> threads;
    const Index n_extra = std::min<Index>(n_threads, n_tasks) - 1;
    try {
        threads.reserve(static_cast<std::size_t>(std::max<Index>(n_extra, 0)));
        for (Index k = 0; k < n_extra; ++k) threads.emplace_back(work);
    } catch (const std::system_error&) {
        // No more threads to be had: those that started, and this one, do the work.
    }
    work();
    threads.clear();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace npgfast
