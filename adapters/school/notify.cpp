#include "adapters/school/notify.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>

#include <condition_variable>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "adapters/client/text.h"
#include "adapters/desk/words.h"
#include "broker/core/ids.h"
#include "broker/crypto/keys.h"
#include "broker/crypto/private_file.h"

namespace flagpost::school {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t address_size_max = 254;  // RFC 5321
constexpr std::chrono::milliseconds look_again{50};
constexpr auto state_fact = "notify/state";

// --- a command

class Actions {
public:
    Actions() {
        posix_spawn_file_actions_init(&files);
        posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
        posix_spawnattr_init(&attributes);
        sigset_t none;
        sigemptyset(&none);
        posix_spawnattr_setsigmask(&attributes, &none);  // ours blocks those that stop a program
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    }
    Actions(const Actions&) = delete;
    Actions& operator=(const Actions&) = delete;
    ~Actions() {
        posix_spawn_file_actions_destroy(&files);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_t files{};
    posix_spawnattr_t attributes{};
};

std::optional<std::string> run(const std::filesystem::path& program, const std::stop_token& stop) {
    const Actions actions;
    std::string name = program.string(), words = news, path = "PATH=/usr/local/bin:/usr/bin:/bin";
    char* const arguments[] = {name.data(), words.data(), nullptr};
    char* const environment[] = {path.data(), nullptr};
    pid_t child = 0;
    if (const int error =
            posix_spawn(&child, name.c_str(), &actions.files, &actions.attributes, arguments, environment);
        error != 0)
        return std::string{"the command cannot be started ("} + std::strerror(error) + ")";
    const auto until = Steady::now() + hook_patience;
    int status = 0;
    while (true) {
        const pid_t ended = ::waitpid(child, &status, WNOHANG);
        if (ended == child) break;
        if (ended < 0 && errno != EINTR) return "the command's end was not seen";
        if (Steady::now() >= until || stop.stop_requested()) {
            ::kill(-child, SIGKILL);
            ::waitpid(child, &status, 0);
            return "the command did not end within " + std::to_string(hook_patience.count()) + " seconds";
        }
        std::this_thread::sleep_for(look_again);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::nullopt;
    if (WIFEXITED(status)) return "the command ended with " + std::to_string(WEXITSTATUS(status));
    return "the command was ended by a signal";
}

// --- mail

struct Cleanup {
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct Unsent {
    std::string_view text;
};

std::size_t read_unsent(char* into, std::size_t size, std::size_t count, void* from) {
    auto& unsent = *static_cast<Unsent*>(from);
    const std::size_t taken = std::min(size * count, unsent.text.size());
    std::memcpy(into, unsent.text.data(), taken);
    unsent.text.remove_prefix(taken);
    return taken;
}

int stop_asked(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<const std::stop_token*>(stop)->stop_requested() ? 1 : 0;
}

std::string text_of(const Mail& mail) {
    SystemClock clock;
    crypto::SystemRandom random;
    std::string to;
    for (const auto& each : mail.to) to += (to.empty() ? "" : ",\r\n ") + each;
    const std::string id = to_hex(make_uuid7(clock.now(), random));
    std::array<char, 64> date{};
    const std::time_t seconds = std::chrono::system_clock::to_time_t(clock.now());
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    (void)std::strftime(date.data(), date.size(), "%a, %d %b %Y %H:%M:%S +0000", &utc);
    return "Date: " + std::string{date.data()} + "\r\nFrom: " + mail.from + "\r\nTo: " + to +
           "\r\nMessage-ID: <" + id + "@" + mail.from.substr(mail.from.find('@') + 1) +
           ">\r\nSubject: Flagpost\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
           "Content-Type: text/plain; charset=utf-8\r\n\r\n" +
           news + "\r\n";
}

bool is_own_machine(const std::string& server) {
    return server.starts_with("smtp://localhost:") || server.starts_with("smtp://127.0.0.1:");
}

std::optional<std::string> send(const Mail& mail, const std::stop_token& stop) {
    const std::unique_ptr<CURL, Cleanup> curl{curl_easy_init()};
    if (!curl) return "no mail can be sent from here";
    std::unique_ptr<curl_slist, Cleanup> to;
    for (const auto& each : mail.to) {
        auto* longer = curl_slist_append(to.get(), ("<" + each + ">").c_str());
        if (longer == nullptr) return "no mail can be sent from here";
        static_cast<void>(to.release());
        to.reset(longer);
    }
    const std::string text = text_of(mail), from = "<" + mail.from + ">";
    Unsent unsent{text};
    CURL* const handle = curl.get();
    curl_easy_setopt(handle, CURLOPT_URL, mail.server.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(handle, CURLOPT_PROXY, "");  // whatever the environment says
    curl_easy_setopt(handle, CURLOPT_USE_SSL,
                     static_cast<long>(is_own_machine(mail.server) ? CURLUSESSL_TRY : CURLUSESSL_ALL));
    curl_easy_setopt(handle, CURLOPT_MAIL_FROM, from.c_str());
    curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, to.get());
    if (!mail.user.empty()) {
        curl_easy_setopt(handle, CURLOPT_USERNAME, mail.user.c_str());
        curl_easy_setopt(handle, CURLOPT_PASSWORD, mail.password.c_str());
    }
    curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(handle, CURLOPT_READFUNCTION, read_unsent);
    curl_easy_setopt(handle, CURLOPT_READDATA, &unsent);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT, static_cast<long>(hook_patience.count()));
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, stop_asked);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &stop);
    const CURLcode code = curl_easy_perform(handle);
    if (code == CURLE_OK) return std::nullopt;
    long answered = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &answered);
    return std::string{"the mail server was not reached or did not take it ("} + curl_easy_strerror(code) +
           (answered == 0 ? "" : ", answer " + std::to_string(answered)) + ")";
}

// --- settings

std::string setting(const client::Config& config, const char* name) {
    const auto found = config.extra.find(name);
    return found == config.extra.end() ? std::string{} : found->second;
}

/// A header takes whatever stands in an address: nothing but one may.
void check_address(const std::string& address, const std::filesystem::path& file, const char* name) {
    const auto at = address.find('@');
    const bool odd = std::ranges::any_of(address, [](char c) {
        return static_cast<unsigned char>(c) <= ' ' || c == '<' || c == '>' || c == ',' || c == '\x7f';
    });
    if (odd || at == 0 || at == std::string::npos || at + 1 == address.size() ||
        address.size() > address_size_max)
        throw std::runtime_error{file.string() + ": " + name + ": should be e-mail addresses"};
}

std::vector<std::string> addresses_in(const std::string& list) {
    std::vector<std::string> all;
    for (std::size_t at = 0; at <= list.size();) {
        const auto end = std::min(list.find(',', at), list.size());
        const std::string one{client::trimmed(std::string_view{list}.substr(at, end - at))};
        if (!one.empty()) all.push_back(one);
        at = end + 1;
    }
    return all;
}

Mail mail_of(const client::Config& config, const std::filesystem::path& file) {
    Mail mail{setting(config, "notify_smtp"),
              setting(config, "notify_from"),
              addresses_in(setting(config, "notify_to")),
              setting(config, "notify_user"),
              {}};
    if (!mail.server.starts_with("smtp://") && !mail.server.starts_with("smtps://"))
        throw std::runtime_error{file.string() +
                                 ": notify_smtp: should be smtps://host:port or smtp://host:port"};
    if (mail.to.empty() || mail.to.size() > mail_recipients_max)
        throw std::runtime_error{file.string() + ": notify_to: 1 to " + std::to_string(mail_recipients_max) +
                                 " e-mail addresses"};
    check_address(mail.from, file, "notify_from");
    for (const auto& each : mail.to) check_address(each, file, "notify_to");
    const std::string password = setting(config, "notify_password");
    if (mail.user.empty() != password.empty())
        throw std::runtime_error{file.string() + ": notify_user and notify_password go together"};
    if (!password.empty()) {
        mail.password = crypto::read_private_file(file.parent_path() / password);
        while (mail.password.ends_with('\n')) mail.password.pop_back();
    }
    return mail;
}

}  // namespace

Hook command_hook(const std::filesystem::path& program) {
    return [program](const std::stop_token& stop) { return run(program, stop); };
}

Hook mail_hook(Mail mail) {
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (ready != CURLE_OK) throw std::runtime_error{"no mail can be sent from here"};
    return [mail = std::move(mail)](const std::stop_token& stop) { return send(mail, stop); };
}

const std::vector<std::string>& notify_setting_names() {
    static const std::vector<std::string> names{"notify_command", "notify_smtp", "notify_from",
                                                "notify_to",      "notify_user", "notify_password"};
    return names;
}

std::optional<Hook> hook_of(const client::Config& config, const std::filesystem::path& file) {
    std::vector<Hook> hooks;
    if (const auto command = setting(config, "notify_command"); !command.empty())
        hooks.push_back(command_hook(std::filesystem::absolute(file).parent_path() / command));
    if (!setting(config, "notify_smtp").empty())
        hooks.push_back(mail_hook(mail_of(config, file)));
    else if (!setting(config, "notify_to").empty())
        throw std::runtime_error{file.string() + ": notify_to needs notify_smtp"};
    if (hooks.empty()) return std::nullopt;
    return [hooks](const std::stop_token& stop) {
        std::optional<std::string> failed;
        for (const auto& hook : hooks) {
            const auto failure = hook(stop);
            if (failure && !failed) failed = failure;
        }
        return failed;
    };
}

class Notifier::Impl {
public:
    explicit Impl(Hook given) : hook{std::move(given)} {
        teller = std::jthread{[this](const std::stop_token& stop) { tell(stop); }};
    }

    void tell(const std::stop_token& stop) {
        std::unique_lock held{lock};
        while (changed.wait(held, stop, [&] { return asked; })) {
            held.unlock();
            std::optional<std::string> failure;
            try {
                failure = hook(stop);
            } catch (const std::exception& error) {
                failure = error.what();
            }
            held.lock();
            asked = false;
            result = std::move(failure);
        }
    }

    /// When the newest notice came that nobody has opened.
    static std::optional<Instant> newest_unopened(const client::Box& box) {
        std::optional<Instant> newest;
        for (const auto& item : box.inbox())
            if ((item.kind == schemas::Kind::school_notice || item.kind == schemas::Kind::recall) &&
                !item.opened)
                newest = std::max(newest.value_or(Instant{}), item.received);
        return newest;
    }

    const Hook hook;
    // Of the owner's thread.
    std::optional<Pinging> pinging;
    std::string kept;  // as the fact has it
    std::optional<Instant> newest;
    std::uint64_t deliveries_seen = 0;
    std::optional<Instant> looked;

    std::mutex lock;  // guards what follows
    std::condition_variable_any changed;
    bool asked = false;
    std::optional<std::optional<std::string>> result;
    std::jthread teller;
};

Notifier::Notifier(Hook hook) : impl_{std::make_unique<Impl>(std::move(hook))} {}
Notifier::~Notifier() = default;

void Notifier::turn(const client::AgentState& state, client::Box& box, Instant now) {
    constexpr std::chrono::seconds look_at_box{5};  // somebody may have opened a notice meanwhile
    Impl& own = *impl_;
    if (!own.pinging) {
        own.kept = box.fact(state_fact).value_or("");
        own.pinging.emplace(state_of(own.kept));
    }
    if (!own.looked || state.deliveries != own.deliveries_seen || now >= *own.looked + look_at_box ||
        now < *own.looked) {
        own.newest = Impl::newest_unopened(box);
        own.deliveries_seen = state.deliveries;
        own.looked = now;
    }
    std::optional<std::optional<std::string>> result;
    {
        const std::lock_guard guard{own.lock};
        result.swap(own.result);
    }
    if (result) {
        own.pinging->ended(*result, now);
        if (*result) spdlog::warn("nobody could be told that there is something new: {}", **result);
    }
    if (own.pinging->begin(own.newest, now)) {
        const std::lock_guard guard{own.lock};
        own.asked = true;
        own.changed.notify_all();
    }
    const std::string text = text_of(own.pinging->state());
    if (text == own.kept) return;
    box.set_fact(state_fact, text);
    own.kept = text;
}

Pinging::State ping_state(const client::Box& box) { return state_of(box.fact(state_fact).value_or("")); }

}  // namespace flagpost::school
