/// How far long work is, for a person who waits.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "adapters/auditor/export.h"

namespace flagpost::auditor {

/// One line on stderr, rewritten; nothing where stderr is no terminal. Gone when it goes.
class ProgressBar {
public:
    explicit ProgressBar(const char* what) : what_{what}, shown_{::isatty(STDERR_FILENO) == 1} {}
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;
    ~ProgressBar() {
        if (drawn_) (void)std::fputs("\r\033[K", stderr);
    }
    Progress to() {
        if (!shown_) return {};
        return [this](std::uint64_t done, std::uint64_t all) { draw(done, all); };
    }

private:
    void draw(std::uint64_t done, std::uint64_t all) {
        const auto now = std::chrono::steady_clock::now();
        if (drawn_ && now - last_ < std::chrono::milliseconds{100}) return;
        last_ = now;
        drawn_ = true;
        const auto percent = all == 0 ? 100 : static_cast<int>(done * 100 / all);
        char bar[41] = {};
        for (int i = 0; i < 40; ++i) bar[i] = i < percent * 40 / 100 ? '#' : '.';
        (void)std::fprintf(stderr, "\r%s [%s] %d %%", what_, bar, percent);
        (void)std::fflush(stderr);
    }
    const char* what_;
    bool shown_;
    bool drawn_ = false;
    std::chrono::steady_clock::time_point last_{};
};

}  // namespace flagpost::auditor
