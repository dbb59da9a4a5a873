/// What feed and import share: the mapping, an intake, and an agent that sends beside them.
#pragma once

#include <atomic>
#include <filesystem>
#include <future>
#include <optional>
#include <thread>

#include "adapters/desk/desk.h"
#include "adapters/police/intake.h"
#include "adapters/police/mapping.h"
#include "adapters/police/markers.h"

namespace flagpost::police {

/// The agent on a thread of its own, with a box of its own, so that a large file does not hold up the session. What ends
/// it before the time is thrown from check().
class Sender {
public:
    explicit Sender(const std::filesystem::path& config);
    void check();

private:
    void run(const std::stop_token& stop);

    desk::Desk desk_;
    MarkerKeeper markers_;
    std::promise<void> promise_;
    std::future<void> ended_ = promise_.get_future();
    std::jthread thread_;
};

/// Everything a command needs to publish. All boxes on the file are opened before the sender begins: opening a file anew
/// gives up the locks that this process has on it.
class Feeding {
public:
    /// `mapping`: empty for the config file's, if it has one.
    Feeding(const std::filesystem::path& config, const std::filesystem::path& mapping);

    desk::Desk& desk() { return desk_; }
    Intake& intake() { return intake_; }
    Sender& sender() { return sender_; }
    const Mapping* mapping() const { return mapping_ ? &*mapping_ : nullptr; }
    /// With so many unconfirmed nothing more is taken.
    std::uint64_t waiting_max() const { return waiting_max_; }
    /// A setting of the config file; empty if it has none.
    std::string setting(const std::string& name) const;
    /// The same as a path, relative to the config file.
    std::filesystem::path path(const std::string& name) const;

private:
    std::filesystem::path config_;
    desk::Desk desk_;
    std::optional<Mapping> mapping_;
    std::uint64_t waiting_max_;
    SystemClock clock_;
    crypto::SystemRandom random_;
    client::Box box_;
    Intake intake_;
    Sender sender_;
};

}  // namespace flagpost::police
