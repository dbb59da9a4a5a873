/// Long work for pages: a thread of its own does one piece after another, and pages look how far it is.
#pragma once

#include <any>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "adapters/auditor/export.h"

namespace flagpost::auditor {

inline constexpr std::size_t pieces_waiting_max = 8;
inline constexpr std::size_t results_kept_max = 16;

/// Safe for several threads. Going away, it lets the piece at hand end at its next word of progress.
class Workbench {
public:
    using Work = std::function<std::any(const Progress&)>;
    /// What is known of one piece of work.
    struct State {
        bool asked = false;    // is, or was, on the bench
        bool running = false;  // or waiting to run
        unsigned percent = 0;
        std::any result;      // of the last time it ended well; empty if never
        std::string failure;  // why it ended badly the last time
    };

    Workbench();
    ~Workbench();

    /// Begins it, or waits its turn; one that is on the bench under this name is left to end. False: too many wait.
    bool begin(const std::string& name, Work work);
    /// Waits that long for it to end. Results not looked at for long are forgotten.
    State look(const std::string& name, std::chrono::milliseconds patience = {});

private:
    struct Piece {
        State state;
        Work work;
    };
    void run(const std::stop_token& stop);
    void forget_the_unseen();

    std::mutex lock_;  // guards what follows
    std::condition_variable_any changed_;
    std::map<std::string, Piece> pieces_;
    std::deque<std::string> waiting_, ended_;  // the latter as last looked at
    std::jthread worker_;                      // last: begins when all else is there
};

}  // namespace flagpost::auditor
