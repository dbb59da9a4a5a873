/// A folder into which the case system puts its lists of flags; each is loaded once, unless a person has to look at it first.
///
///     DIR/flags.csv             handed over: moved here whole, or written here and closed; CSV, JSON or XML (flag_file.h)
///     DIR/flags.delta.csv       changes only; every other name is the whole list
///     DIR/cin.details.csv       what cin.xml or cin.json does not say; has to be there before it
///     DIR/working/              the file in hand
///     DIR/archive/              taken over
///     DIR/rejects/              flags.csv.rejects.csv: what is wrong, with line and reason; and files that could not be read
///
/// A list that would end more flags than agreed, or of which nothing can be loaded, is not sent: it waits on the page "Flags
/// we send" for two people. Each step may be repeated after a crash: the same content is taken over once.
///
/// Whoever can write to the folder can change whom police know to be flagged.
#pragma once

#include "adapters/desk/arrivals.h"
#include "adapters/social_care/flag_book.h"
#include "adapters/social_care/flag_pages.h"

namespace flagpost::social_care {

class FlagFolder {
public:
    /// Makes the folders. `book` lives as long as this. Throws std::runtime_error for a folder that is not there.
    FlagFolder(std::filesystem::path directory, FlagPageSettings settings, FlagBook& book);

    enum class Became { sent, waits_for_people, known, unreadable };
    struct Report {
        std::string name;
        Became became;
        std::int64_t number = 0;  // in the book; 0: none
        std::size_t rejected = 0;
    };
    /// Takes over the next file, the first by name; nothing if there is none, or while the broker owes an answer to an
    /// earlier list. Of the thread that owns the box.
    std::optional<Report> next(client::Box& box, Instant now, Random& random);

private:
    std::optional<std::filesystem::path> take();
    Report finish(const std::filesystem::path& file, client::Box& box, Instant now, Random& random);
    Report put(const std::filesystem::path& file, FlagFile read, FlagLoad load, const LoadContent& content,
               client::Box& box, Random& random);
    Report set_aside(const std::filesystem::path& file, const std::string& why);
    void archive(const std::filesystem::path& file, const char* folder);
    bool known(const FlagLoad& load) const;

    std::filesystem::path directory_;
    FlagPageSettings settings_;
    FlagBook& book_;
    std::string topic_;
    desk::Arrivals arrivals_;
};

}  // namespace flagpost::social_care
