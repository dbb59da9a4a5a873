#include "adapters/police/spool.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <stdexcept>

#include "broker/crypto/digest.h"

namespace flagpost::police {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> folders{"working", "archive", "rejects"};
constexpr std::array<std::string_view, 3> unfinished_endings{".part", ".tmp", ".filepart"};

bool is_handed_over(const fs::path& file, const Mapping* mapping) {
    return !file.filename().string().starts_with('.') && is_incident_file(file, mapping) &&
           fs::symlink_status(file).type() == fs::file_type::regular;
}

std::string digest_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>{stream}, {}};
    if (!stream) throw std::runtime_error{"cannot read " + file.string()};
    return to_hex(crypto::sha256(view(text)));
}

}  // namespace

Spool::Spool(fs::path directory, std::string force, const Mapping* mapping)
    : directory_{std::move(directory)}, force_{std::move(force)}, mapping_{mapping} {
    if (!fs::is_directory(directory_)) throw std::runtime_error{directory_.string() + ": no such folder"};
    for (const auto folder : folders) {
        fs::create_directory(directory_ / folder);
        fs::permissions(directory_ / folder, fs::perms::owner_all);
    }
    desk::sync_directory(directory_);  // or a power cut takes the folders with what was moved into them
    lock_ = ::open((directory_ / "working" / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_ < 0) throw std::runtime_error{directory_.string() + ": cannot be locked"};
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
        ::close(lock_);
        throw std::runtime_error{directory_.string() + ": another program feeds from this folder"};
    }
    try {
        arrivals_ = std::make_unique<desk::Arrivals>(
            directory_, [this](const fs::path& file) { return is_handed_over(file, mapping_); });
    } catch (...) {
        ::close(lock_);
        throw;
    }
}

Spool::~Spool() { ::close(lock_); }

std::vector<std::string> Spool::left_alone() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator{directory_}) {
        const std::string name = entry.path().filename().string();
        const bool ours = std::ranges::find(folders, name) != folders.end();
        const bool unfinished =
            name.starts_with('.') ||
            std::ranges::any_of(unfinished_endings, [&](auto ending) { return name.ends_with(ending); });
        if (!ours && !unfinished && !is_handed_over(entry.path(), mapping_)) names.push_back(name);
    }
    std::ranges::sort(names);
    return names;
}

void Spool::wait(std::chrono::milliseconds patience) const { arrivals_->wait(patience); }

std::optional<FileReport> Spool::next(Intake& intake) {
    const auto file = take();
    if (!file) return std::nullopt;
    return finish(*file, intake);
}

std::optional<fs::path> Spool::take() {
    std::optional<fs::path> left_over;
    for (const auto& entry : fs::directory_iterator{directory_ / "working"})
        if (is_handed_over(entry.path(), mapping_) && (!left_over || entry.path() < *left_over))
            left_over = entry.path();
    if (left_over) return left_over;
    const auto arrived = arrivals_->first();
    if (!arrived) return std::nullopt;
    const fs::path taken = directory_ / "working" / arrived->filename();
    desk::move_durably(*arrived, taken);
    return taken;
}

/// The name under which a file is kept: its own, or with what tells it from others where another has that name already.
std::string Spool::free_name(const fs::path& file, const std::string& distinct) const {
    std::string name = file.filename().string();
    if (!fs::exists(directory_ / "archive" / name) && !fs::exists(directory_ / "rejects" / name)) return name;
    return file.stem().string() + "-" + distinct.substr(0, 24) + file.extension().string();
}

FileReport Spool::finish(const fs::path& file, Intake& intake) {
    const bool readable = ::access(file.c_str(), R_OK) == 0;
    if (!readable || fs::file_size(file) > incident_file_size_max) {
        const auto written = std::to_string(fs::last_write_time(file).time_since_epoch().count());
        return set_aside(file, free_name(file, written),
                         readable ? "file: too large" : "file: may not be read");
    }
    const std::string digest = digest_of(file);
    const std::string name = free_name(file, digest);
    auto incidents = IncidentFile::read(file, force_, mapping_, intake.now());
    if (!incidents) return set_aside(file, name, incidents.error().where);

    FileReport report{name};
    const std::string mark = "spool/" + digest;
    report.published_before = intake.marked(mark);
    const auto taken = report.published_before ? intake.judge(incidents->incidents())
                                               : intake.take(incidents->incidents(), mark);
    for (std::size_t i = 0; i < taken.size(); ++i) {
        if (taken[i].became == Became::conflict)
            incidents->reject(incidents->incidents()[i], std::string{"version: "} + conflict_why);
        if (report.published_before) continue;
        report.published += taken[i].became == Became::queued ? 1 : 0;
        report.known += taken[i].became == Became::known ? 1 : 0;
    }
    report.rejected = incidents->rejected();
    incidents->write_rejects(directory_ / "rejects", name);
    desk::move_durably(file, directory_ / "archive" / name);
    return report;
}

FileReport Spool::set_aside(const fs::path& file, const std::string& name, const std::string& why) {
    desk::write_rejects(directory_ / "rejects" / (name + ".rejects.csv"), {
                                                                              {0, false, why, {}}
    });
    desk::move_durably(file, directory_ / "rejects" / name);
    FileReport report{name};
    report.rejected = 1;
    report.unread = why;
    return report;
}

}  // namespace flagpost::police
