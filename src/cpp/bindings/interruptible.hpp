#pragma once

#include <chrono>
#include <future>
#include <limits>
#include <system_error>
#include <thread>

#include "bindings/pybind.hpp"
#include "npgfast/base/interrupt.hpp"

namespace npgfast::bindings {

inline bool interpreter_is_finalizing() {
#if PY_VERSION_HEX >= 0x030D0000
    return Py_IsFinalizing() != 0;
#else
    return _Py_IsFinalizing() != 0;
#endif
}

/// Waits without the GIL until `pending` is ready or 20 ms have passed. A thread that outlives the interpreter must not
/// ask for the GIL again: it waits for the end of the process.
template <class Result>
bool wait_a_little(const std::future<Result>& pending) {
    const py::gil_scoped_release release;
    const bool ready = pending.wait_for(std::chrono::milliseconds(20)) == std::future_status::ready;
    while (interpreter_is_finalizing()) std::this_thread::sleep_for(std::chrono::seconds(1));
    return ready;
}

/// Calls that are shorter than this need not look for signals.
inline constexpr double kBriefSeconds = 0.02;

/// Runs `call(interrupt)` on a thread without the GIL, while this one looks for signals every 20 ms. A signal handler
/// that raises (Ctrl-C) stops the call and its exception is thrown here; what the call wrote is then to be dropped.
/// A call that is expected to be brief runs on this thread, deaf to signals: starting another takes some 70
/// microseconds. So it does if the system refuses a thread, or the interpreter is already finalising.
template <class Call>
auto interruptible(Call&& call, double expected_seconds = std::numeric_limits<double>::infinity()) {
    Interrupt interrupt;
    if (interpreter_is_finalizing()) return call(interrupt);
    if (expected_seconds <= kBriefSeconds) {
        const py::gil_scoped_release release;
        return call(interrupt);
    }
    std::future<decltype(call(interrupt))> pending;
    try {
        pending = std::async(std::launch::async, [&] { return call(interrupt); });
    } catch (const std::system_error&) {
        const py::gil_scoped_release release;
        return call(interrupt);
    }
    while (!wait_a_little(pending)) {
        if (PyErr_CheckSignals() == 0) continue;
        interrupt.request();
        while (!wait_a_little(pending)) {
        }
        throw py::error_already_set();
    }
    return pending.get();
}

}  // namespace npgfast::bindings
