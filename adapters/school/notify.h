/// Hooks that tell people to look: a command or an e-mail. They carry no data, no count and no link: only that there is
/// something, and that they sign in as they usually do.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "adapters/desk/desk.h"
#include "adapters/school/pinging.h"

namespace flagpost::school {

inline constexpr auto news = "You have a new notice in Flagpost. Sign in as you usually do.";
inline constexpr auto hook_patience = std::chrono::seconds{30};  // for one attempt
inline constexpr std::size_t mail_recipients_max = 20;

/// One attempt: why it failed, in words without any data, or nothing.
using Hook = std::function<std::optional<std::string>(const std::stop_token&)>;

struct Mail {
    std::string
        server;  // "smtps://mail.school.example:465"; smtp:// needs STARTTLS but to this machine itself
    std::string from;
    std::vector<std::string> to;
    std::string user, password;  // empty: none is asked for
};

/// Runs a program with `news` as its one argument, no input, and nothing of our environment but PATH; kills it after
/// hook_patience.
Hook command_hook(const std::filesystem::path& program);
/// Sends `news`, whole, to everybody named.
Hook mail_hook(Mail mail);

/// Settings, all texts:
///
///     notify_command  = "hooks/tell-us"        # relative to the config file
///     notify_smtp     = "smtps://mail.school.example:465"
///     notify_from     = "flagpost@school.example"
///     notify_to       = "dsl@school.example, deputy@school.example"
///     notify_user     = "flagpost"             # with notify_password, a private file
///     notify_password = "smtp.secret"
const std::vector<std::string>& notify_setting_names();
/// The hooks the config asks for, run one after the other; the first failure is what failed. Nothing where it asks for none.
/// Throws std::runtime_error for what cannot be.
std::optional<Hook> hook_of(const client::Config& config, const std::filesystem::path& config_file);

/// Tells people of what came, for as long as it lives: decides in the thread that owns the box, tells in one of its own.
class Notifier {
public:
    explicit Notifier(Hook hook);
    ~Notifier();
    /// At every turn of the owner's loop. Keeps its state as a fact of the box.
    void turn(const client::AgentState& state, client::Box& box, Instant now);

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// What the program that serves this box has said of its hooks last.
Pinging::State ping_state(const client::Box& box);

}  // namespace flagpost::school
