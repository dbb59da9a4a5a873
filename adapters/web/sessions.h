/// Who is signed in, and who tries too often.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "adapters/web/http.h"
#include "broker/core/clock.h"

namespace flagpost::web {

inline constexpr auto idle_max = std::chrono::minutes{30};
inline constexpr auto session_max = std::chrono::hours{10};
inline constexpr auto code_patience = std::chrono::minutes{5};  // between password and second step
inline constexpr std::size_t sessions_max = 5'000;
inline constexpr std::size_t sessions_per_person_max = 5;
inline constexpr std::size_t attempts_max = 5;
inline constexpr auto attempts_wait = std::chrono::minutes{15};
inline constexpr std::size_t names_watched_max = 10'000;

/// A form that came after its session had ended, kept in memory for the same person (pages, section 2.6).
struct KeptForm {
    std::string path;
    Fields fields;
    Instant kept;
};

struct Session {
    std::string person;  // the name signed in with
    bool whole = false;  // the second step is done
    std::string csrf;    // 64 hexadecimal characters
    Instant began, used;
    std::optional<Instant> last_time{};  // when this person was signed in before
};

/// Sessions by the hash of their cookie, in memory: a restart signs everybody out. Safe for several threads.
class Sessions {
public:
    explicit Sessions(Random& random) : random_{random} {}

    struct Opened {
        std::string cookie;
        Session session;
    };
    /// A new one; of one person only the newest few stay. What the cookie says is known to the browser alone.
    Opened open(const std::string& person, bool whole, Instant now, std::optional<Instant> last_time = {});
    /// The living one of this cookie, used now.
    std::optional<Session> use(const std::string& cookie, Instant now);
    /// The same, by a page that loads itself anew: that is nobody's use, and lengthens nothing.
    std::optional<Session> look(const std::string& cookie, Instant now);
    void close(const std::string& cookie);
    void close_all_of(const std::string& person);

    /// The one of this cookie that ended less than idle_max ago.
    std::optional<Session> ended(const std::string& cookie, Instant now);
    void keep(const std::string& person, KeptForm form);
    /// Where the form kept for the person was bound for, if one is still kept.
    std::optional<std::string> kept_path(const std::string& person, Instant now);
    /// That form; it is given once.
    std::optional<KeptForm> take_kept(const std::string& person, Instant now);

private:
    bool alive(const Session& session, Instant now) const;
    void make_room(const std::string& person, Instant now);

    Random& random_;
    std::mutex lock_;  // guards what follows
    std::map<std::string, Session> sessions_;
    std::map<std::string, KeptForm> kept_;
};

/// Counts failures by name, whether anybody has it or not. Safe for several threads.
class Throttle {
public:
    /// Whether this name must wait.
    bool waits(const std::string& name, Instant now);
    void failed(const std::string& name, Instant now);
    void succeeded(const std::string& name);
    /// Whether the code of this step was not used before by the person; it is now.
    bool first_use(const std::string& name, std::int64_t step);

private:
    struct Count {
        std::size_t failures;
        Instant last;
    };
    std::mutex lock_;  // guards what follows
    std::map<std::string, Count> counts_;
    std::map<std::string, std::int64_t> steps_;
};

}  // namespace flagpost::web
