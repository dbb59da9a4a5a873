/// What an agency's own people did at its pages: who looked at what, who has what. It does not leave the agency.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/core/clock.h"

namespace flagpost::web {

struct Entry {
    std::string reference;  // of the notice, or "contacts/<URN>", "users/<name>"
    std::string what;       // "consulted", "printed", "taken", "passed", "disputed", "checked", "signed in"
    std::string person;     // name signed in with
    std::string called;
    std::string detail;  // passed: to whom, by name; disputed: the reason's code
    Instant at;
};

/// A time in which the broker was not heard.
struct Silence {
    Instant from, until;
};

/// One SQLite file, mode 0600, which one program writes. A GET of personal data is a consultation and is here
/// (Data Protection Act 2018, section 62). Safe for several threads.
class Journal {
public:
    explicit Journal(const std::filesystem::path& file);
    ~Journal();

    /// Durable on return. False, and nothing is written, if an entry with this `once` was made before.
    bool note(const Entry& entry, const std::optional<std::string>& once = {});
    /// Of one notice, without consultations, the newest first.
    std::vector<Entry> story_of(const std::string& reference) const;
    /// Consultations of one notice, the oldest first.
    std::vector<Entry> consultations_of(const std::string& reference) const;
    /// When that was last noted of it, if it ever was.
    std::optional<Instant> last(const std::string& reference, const std::string& what) const;
    /// The name of who has each notice that was taken or passed on.
    std::map<std::string, std::string> holders() const;

    /// The broker was heard then: noted every ten minutes, durable on return.
    void heard(Instant at);
    /// When `heard` was noted first; nothing before.
    std::optional<Instant> first_heard() const;
    /// Times longer than this, at least an hour, in which it was not, the oldest first. Whether this program ran or not: nothing
    /// came.
    std::vector<Silence> silences(std::chrono::hours longer_than, Instant now) const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace flagpost::web
