#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>
#include <stdexcept>

#include "adapters/desk/inbox.h"
#include "adapters/desk/words.h"
#include "adapters/police/feeding.h"
#include "adapters/police/incident_file.h"
#include "adapters/police/police.h"

namespace flagpost::police {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t portion = 500;  // incidents of one transaction
constexpr std::chrono::milliseconds import_turn{100};
constexpr std::chrono::seconds said_each{10};  // where stderr is no terminal
constexpr int bar_width = 30;

std::string left_in_words(std::chrono::seconds left) {
    if (left < std::chrono::minutes{2}) return std::to_string(left.count()) + " seconds";
    return desk::duration_in_words(left);
}

/// How far it is, on stderr: a line that is rewritten, or one every ten seconds where nobody can see it being rewritten.
class ImportProgress {
public:
    explicit ImportProgress(std::size_t all) : all_{all} {}
    ~ImportProgress() {
        if (drawn_) (void)std::fputs("\n", stderr);
    }
    ImportProgress(const ImportProgress&) = delete;
    ImportProgress& operator=(const ImportProgress&) = delete;

    /// `skipped`: of `done`, what needed no work.
    void see(std::size_t done, std::size_t skipped) {
        const auto now = Steady::now();
        if (now - said_ < (terminal_ ? std::chrono::milliseconds{500} : std::chrono::milliseconds{said_each}))
            return;
        said_ = now;
        const double seconds = std::max(std::chrono::duration<double>(now - begun_).count(), 0.001);
        const double rate = static_cast<double>(done - std::min(done, skipped)) / seconds;
        const auto bars = all_ == 0 ? bar_width : static_cast<int>(done * bar_width / all_);
        std::string bar(static_cast<std::size_t>(bars), '#');
        bar.resize(bar_width, '.');
        std::string left = "time left not known";
        if (rate > 0)
            left = left_in_words(std::chrono::seconds{
                       static_cast<std::int64_t>(static_cast<double>(all_ - done) / rate)}) +
                   " left";
        (void)std::fprintf(stderr, "%s[%s] %zu of %zu confirmed, %.0f a second, %s%s", terminal_ ? "\r" : "",
                           bar.c_str(), done, all_, rate, left.c_str(), terminal_ ? "\033[K" : "\n");
        (void)std::fflush(stderr);
        drawn_ = terminal_;
    }

private:
    std::size_t all_;
    bool terminal_ = ::isatty(STDERR_FILENO) == 1;
    bool drawn_ = false;
    Steady::time_point begun_ = Steady::now(), said_ = begun_;
};

struct Imported {
    std::size_t queued = 0, known = 0;
};

/// Takes a file in portions while the sender sends them.
class Import {
public:
    Import(Feeding& feeding, IncidentFile& file, std::stop_token stop)
        : feeding_{feeding}, file_{file}, stop_{std::move(stop)}, progress_{file.incidents().size()} {}

    /// Whether it came to its end.
    bool take_all() {
        const auto& all = file_.incidents();
        std::vector<Handed> some;
        for (std::size_t at = 0; at < all.size();) {
            if (!turn_over()) return false;
            if (feeding_.intake().has_waiting(feeding_.waiting_max())) {
                std::this_thread::sleep_for(import_turn);
                continue;
            }
            const std::size_t end = std::min(all.size(), at + portion);
            some.assign(all.begin() + static_cast<std::ptrdiff_t>(at),
                        all.begin() + static_cast<std::ptrdiff_t>(end));
            const auto taken = feeding_.intake().take(some);
            for (std::size_t i = 0; i < taken.size(); ++i) {
                totals_.queued += taken[i].became == Became::queued ? 1 : 0;
                totals_.known += taken[i].became == Became::known ? 1 : 0;
                if (taken[i].became == Became::conflict) conflicts_.push_back(at + i);
            }
            at = end;
        }
        for (const std::size_t i : conflicts_) file_.reject(all[i], std::string{"version: "} + conflict_why);
        return true;
    }

    /// Whether the broker has answered for everything.
    bool await_all() {
        while (feeding_.intake().has_waiting(1)) {
            if (!turn_over()) return false;
            std::this_thread::sleep_for(import_turn);
        }
        return true;
    }

    const Imported& totals() const { return totals_; }

private:
    bool turn_over() {
        feeding_.sender().check();
        const std::size_t taken = totals_.queued + totals_.known + conflicts_.size();
        const auto waiting = static_cast<std::size_t>(feeding_.desk().box().counts().waiting);
        progress_.see(taken - std::min(taken, waiting), totals_.known);
        return !stop_.stop_requested();
    }

    Feeding& feeding_;
    IncidentFile& file_;
    std::stop_token stop_;
    ImportProgress progress_;
    Imported totals_;
    std::vector<std::size_t> conflicts_;
};

}  // namespace

int import_backlog(const ImportOptions& options, std::ostream& out) {
    const desk::StopAtSignal stop;
    Feeding feeding{options.config, options.mapping};
    if (std::filesystem::file_size(options.file) > incident_file_size_max)
        throw std::runtime_error{options.file.string() + ": too large: cut it into files of at most 256 MiB"};
    auto file =
        IncidentFile::read(options.file, feeding.intake().force(), feeding.mapping(), feeding.intake().now());
    if (!file) throw std::runtime_error{options.file.string() + ": " + file.error().where};
    const auto refused_before = feeding.desk().box().counts().refused;
    Imported totals;
    bool over = false;
    {
        Import running{feeding, *file, stop.token()};
        over = running.take_all() && running.await_all();
        totals = running.totals();
    }
    const std::size_t all = file->incidents().size(), rejected = file->rejected();
    if (over) file->write_rejects(options.file.parent_path(), options.file.filename().string());
    const auto counts = feeding.desk().box().counts();
    const auto refused = counts.refused - refused_before;
    if (options.json) {
        desk::print_json(
            {
                {"incidents", all           },
                {"queued",    totals.queued },
                {"known",     totals.known  },
                {"rejected",  rejected      },
                {"refused",   refused       },
                {"waiting",   counts.waiting},
                {"complete",  over          }
        },
            out);
    } else {
        out << options.file.filename().string() << ": " << totals.queued << " incidents published, "
            << totals.known << " had been published before, " << rejected << " records rejected, " << refused
            << " refused.\n";
        if (over && rejected != 0)
            out << "Why: " << options.file.filename().string()
                << ".rejects.csv. To be corrected and imported: "
                << again_name(options.file.filename()).string() << "\n";
        if (!over) out << "Stopped before the end. The same command goes on where it was.\n";
    }
    return over && rejected + refused == 0 ? 0 : 1;
}

}  // namespace flagpost::police
