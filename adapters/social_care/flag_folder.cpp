#include "adapters/social_care/flag_folder.h"

#include <algorithm>
#include <stdexcept>

#include "adapters/desk/words.h"

namespace flagpost::social_care {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view details_ending = ".details.csv";
constexpr std::size_t loads_searched = 100;
constexpr auto folder_name = "Watch folder";

bool is_list(const fs::path& file) {
    const std::string name = file.filename().string(), ending = file.extension().string();
    return desk::is_plain_file(file) && (ending == ".csv" || ending == ".json" || ending == ".xml") &&
           !name.ends_with(details_ending);
}

/// Beside the list: "cin.details.csv" of "cin.xml" and of "cin.delta.json".
fs::path details_of(const fs::path& file) {
    fs::path stem = file.stem();
    if (stem.extension() == ".delta") stem = stem.stem();
    return file.parent_path() / (stem.string() + std::string{details_ending});
}

schemas::LoadMode mode_of(const fs::path& file) {
    return file.stem().extension() == ".delta" ? schemas::LoadMode::delta : schemas::LoadMode::full;
}

const fs::path& with_folders(const fs::path& directory) {
    if (!fs::is_directory(directory)) throw std::runtime_error{directory.string() + ": no such folder"};
    for (const char* folder : {"working", "archive", "rejects"}) {
        fs::create_directory(directory / folder);
        fs::permissions(directory / folder, fs::perms::owner_all);
    }
    desk::sync_directory(directory);
    return directory;
}

}  // namespace

FlagFolder::FlagFolder(fs::path directory, FlagPageSettings settings, FlagBook& book)
    : directory_{std::move(directory)},
      settings_{std::move(settings)},
      book_{book},
      topic_{"flags/" + settings_.la},
      arrivals_{with_folders(directory_), is_list} {}

std::optional<fs::path> FlagFolder::take() {
    std::optional<fs::path> left_over;
    for (const auto& entry : fs::directory_iterator{directory_ / "working"})
        if (is_list(entry.path()) && (!left_over || entry.path() < *left_over)) left_over = entry.path();
    if (left_over) return left_over;
    const auto arrived = arrivals_.first();
    if (!arrived) return std::nullopt;
    // The details first: without them a list in hand would be read wrongly after a crash.
    if (const auto details = details_of(*arrived); fs::exists(details))
        desk::move_durably(details, directory_ / "working" / details.filename());
    const fs::path taken = directory_ / "working" / arrived->filename();
    desk::move_durably(*arrived, taken);
    return taken;
}

std::optional<FlagFolder::Report> FlagFolder::next(client::Box& box, Instant now, Random& random) {
    if (desk::load_state(box, topic_) == desk::LoadState::waits) return std::nullopt;
    book_.settle(box, now);
    const auto file = take();
    if (!file) return std::nullopt;
    return finish(*file, box, now, random);
}

void FlagFolder::archive(const fs::path& file, const char* folder) {
    if (const auto details = details_of(file); fs::exists(details))
        desk::move_durably(details, directory_ / folder / details.filename());
    desk::move_durably(file, directory_ / folder / file.filename());
}

/// The book has it already, or it is what stands: this program was interrupted, or the same list was handed over again.
bool FlagFolder::known(const FlagLoad& load) const {
    const auto last = book_.last_applied();
    if (last && last->digest == load.digest && last->mode == load.mode) return true;
    return std::ranges::any_of(book_.recent(loads_searched), [&](const FlagLoad& each) {
        const bool open =
            each.step == LoadStep::preview || each.step == LoadStep::waits || each.step == LoadStep::sent;
        return open && each.digest == load.digest && each.mode == load.mode;
    });
}

FlagFolder::Report FlagFolder::finish(const fs::path& file, client::Box& box, Instant now, Random& random) {
    LoadContent content;
    try {
        content.file = desk::read_file(file, flag_upload_size_max);
        if (const auto details = details_of(file); fs::exists(details))
            content.details = desk::read_file(details, flag_upload_size_max);
    } catch (const std::exception&) {
        return set_aside(file, "file: too large, or may not be read");
    }
    std::optional<ChildDetails> details;
    if (!content.details.empty()) {
        auto parsed = ChildDetails::parse(content.details);
        if (!parsed) return set_aside(file, parsed.error().where);
        details = std::move(*parsed);
    }
    auto read = read_flag_file(content.file, {settings_.la, settings_.dfe_la, desk::local_day(now),
                                              std::nullopt, details ? &*details : nullptr});
    if (!read) return set_aside(file, read.error().where);
    FlagLoad load = load_of(*read, mode_of(file));
    load.at = now;
    load.by_called = folder_name;
    load.file_name = client::cut(desk::printable(file.filename().string()), file_name_size_max);
    load.digest = crypto::sha256({view(content.file), view(content.details)});
    return put(file, std::move(*read), std::move(load), content, box, random);
}

FlagFolder::Report FlagFolder::put(const fs::path& file, FlagFile read, FlagLoad load,
                                   const LoadContent& content, client::Box& box, Random& random) {
    Report report{file.filename().string(), Became::known, 0, load.rejected};
    if (known(load)) {
        archive(file, "archive");
        return report;
    }
    const FlagList list = list_of(read.prepared);
    load.changes = changes(book_.list(), list, load.sent_as());
    desk::write_rejects(directory_ / "rejects" / (report.name + ".rejects.csv"), read.prepared.rejects);
    load.number = report.number = book_.add(load, content);
    report.became = Became::waits_for_people;
    if (!read.prepared.records.empty() && why_two(load, settings_.shrink_percent_max).empty() &&
        book_.claim(load.number, LoadStep::preview, "", folder_name, list, read.prepared.keys)) {
        const auto begun = desk::begin_load(box, load.at, random, {schemas::LoadOf::flags, topic_, ""},
                                            std::move(read.prepared.records), load.file_name, load.sent_as());
        if (begun)
            book_.sent_as(load.number, begun->load, begun->sequence);
        else
            book_.unclaim(load.number, LoadStep::preview);
        if (begun) report.became = Became::sent;
    }
    archive(file, "archive");
    return report;
}

FlagFolder::Report FlagFolder::set_aside(const fs::path& file, const std::string& why) {
    const std::string name = file.filename().string();
    desk::write_rejects(directory_ / "rejects" / (name + ".rejects.csv"),
                        {
                            {0, false, desk::file_code(schemas::FileCode::malformed) + ": " + why, {}}
    });
    archive(file, "rejects");
    return {name, Became::unreadable, 0, 1};
}

}  // namespace flagpost::social_care
