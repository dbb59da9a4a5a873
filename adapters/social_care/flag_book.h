/// What this authority has handed over: each load and what became of it, and the list as the broker has it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/client/box.h"
#include "adapters/social_care/flag_changes.h"
#include "adapters/social_care/flag_file.h"

namespace flagpost::social_care {

enum class LoadStep {
    preview = 0,   // nothing has changed yet
    waits = 1,     // for a second person
    sent = 2,      // the broker has not answered
    finished = 3,  // it has, or refused
    discarded = 4,
};

inline constexpr std::size_t file_name_size_max = 100;  // bytes; what is longer is cut
struct FlagLoad {
    std::int64_t number = 0;    // in this book
    Instant at;                 // when it came
    std::string by, by_called;  // name and what they are called; "" and "Command line" or "Watch folder"
    std::string first, first_called;    // who has checked that many flags end, where that was needed
    std::string second, second_called;  // who applied it
    std::string file_name;
    FlagFormat format = FlagFormat::csv;
    bool windows_1252 = false;
    schemas::LoadMode mode = schemas::LoadMode::full;
    bool as_delta = false;  // a full list, but nobody is taken off it since rows were rejected
    std::optional<std::uint64_t> declared;  // records the file should have
    std::uint64_t records = 0;              // that it has
    std::uint64_t rejected = 0;             // of them, by us
    std::uint64_t without_flag = 0;         // of them, children without a plan
    Digest digest{};                        // of the file
    Changes changes;
    LoadStep step = LoadStep::preview;
    std::uint64_t sequence = 0;               // once sent
    Id16 load{};                              // once sent
    std::optional<schemas::FileCode> code;    // finished without one: refused, `why` says so
    std::uint64_t accepted = 0, refused = 0;  // by the broker
    std::string why;
    Instant finished;

    /// How the broker is asked to take it.
    schemas::LoadMode sent_as() const { return as_delta ? schemas::LoadMode::delta : mode; }
    /// A whole list of nobody, and whoever brought it says so: more often an empty file is an extract gone wrong.
    bool of_nobody() const {
        return mode == schemas::LoadMode::full && declared == records && has_no_flags();
    }
    /// No record, or none of a child who is flagged, and nothing wrong with any.
    bool has_no_flags() const { return records == without_flag; }
};

/// The bytes that came, as long as they are kept.
struct LoadContent {
    std::string file, details;
};

inline constexpr auto content_kept = std::chrono::hours{24 * 7};  // of a finished load, for its results
inline constexpr auto preview_kept = std::chrono::hours{24 * 2};  // of one that nobody applied

/// What a file holds, before anything is known of who brought it.
FlagLoad load_of(const FlagFile& file, schemas::LoadMode mode);

/// One SQLite file, mode 0600. Safe for several threads, and for a command beside a program that serves.
class FlagBook {
public:
    explicit FlagBook(const std::filesystem::path& file);
    ~FlagBook();

    /// The list as the broker has it.
    FlagList list() const;
    /// Returns its number.
    std::int64_t add(const FlagLoad& load, const LoadContent& content);
    std::optional<FlagLoad> find(std::int64_t number) const;
    /// The newest first.
    std::vector<FlagLoad> recent(std::size_t most) const;
    /// The one whose list stands with the broker now.
    std::optional<FlagLoad> last_applied() const;
    /// Nothing once it is no longer kept.
    std::optional<LoadContent> content(std::int64_t number) const;

    /// False, and nothing is changed, if it is not at the step `from` any more.
    bool check(std::int64_t number, const std::string& name, const std::string& called);  // preview to waits
    bool discard(std::int64_t number);                                                    // preview or waits
    bool recount(std::int64_t number, const Changes& changes);  // preview or waits, to preview
    /// preview or waits to sent: nobody else can send it from now on. `list`: what it says, to stand once it was loaded.
    bool claim(std::int64_t number, LoadStep from, const std::string& name, const std::string& called,
               const FlagList& list, const std::vector<std::string>& keys);
    void sent_as(std::int64_t number, const Id16& load, std::uint64_t sequence);
    /// It could not be sent after all.
    void unclaim(std::int64_t number, LoadStep back_to);

    /// At the start: what a crash left claimed and not sent goes back to its preview.
    void recover();
    /// Takes note of what the broker has answered since, and forgets contents that are no longer kept.
    void settle(const client::Box& box, Instant now);

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace flagpost::social_care
