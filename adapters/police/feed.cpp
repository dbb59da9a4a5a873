#include <spdlog/spdlog.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <stdexcept>

#include "adapters/desk/inbox.h"
#include "adapters/desk/words.h"
#include "adapters/police/endpoint.h"
#include "adapters/police/feeding.h"
#include "adapters/police/police.h"
#include "adapters/police/spool.h"
#include "broker/crypto/private_file.h"

namespace flagpost::police {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds turn{
    200};  // how soon a signal, an ended agent or a full outbox is noticed
constexpr std::size_t token_size_min = 16;

struct Totals {
    std::size_t files = 0, published = 0, known = 0, rejected = 0;

    void add(const FileReport& report) {
        ++files;
        published += report.published;
        known += report.known;
        rejected += report.rejected;
    }
};

void tell_log(const FileReport& report) {
    if (!report.unread.empty())
        spdlog::error("{}: nothing of it was read, it lies in rejects: {}", report.name, report.unread);
    else if (report.published_before)
        spdlog::warn("{}: the same content was published before; nothing was sent", report.name);
    else
        spdlog::log(report.rejected == 0 ? spdlog::level::info : spdlog::level::warn,
                    "{}: {} published, {} known already, {} rejected", report.name, report.published,
                    report.known, report.rejected);
}

json report_of(const Totals& totals, const client::Box::Counts& counts) {
    return {
        {"files",     totals.files    },
        {"published", totals.published},
        {"known",     totals.known    },
        {"rejected",  totals.rejected },
        {"waiting",   counts.waiting  },
        {"confirmed", counts.confirmed},
        {"refused",   counts.refused  }
    };
}

void tell(const Totals& totals, const client::Box::Counts& counts, const std::filesystem::path& spool,
          std::ostream& out) {
    out << totals.files << (totals.files == 1 ? " file: " : " files: ") << totals.published
        << " incidents published, " << totals.rejected << " rows rejected"
        << (totals.rejected == 0 ? "" : " (see " + (spool / "rejects").string() + ")") << ".\n";
    if (totals.known != 0) out << totals.known << " incidents had been published before.\n";
    out << "In all so far: " << counts.confirmed << " confirmed, " << counts.refused << " refused, "
        << counts.waiting << " waiting.\n";
}

EndpointSettings listen_on(Feeding& feeding, const std::string& text) {
    const auto colon = text.rfind(':');
    EndpointSettings settings;
    int port = -1;
    if (colon != std::string::npos) {
        const char* end = text.data() + text.size();
        const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, port);
        if (error != std::errc{} || rest != end || port > 65535) port = -1;
    }
    if (port < 0) throw std::runtime_error{"http_listen: should be address:port"};
    settings.host = text.substr(0, colon);
    settings.port = port;
    settings.certificate = feeding.path("http_certificate");
    settings.key = feeding.path("http_key");
    settings.client_ca = feeding.path("http_client_ca");
    settings.client_crl = feeding.path("http_client_crl");
    if (settings.certificate.empty() != settings.key.empty())
        throw std::runtime_error{"http_certificate and http_key go together"};
    if (settings.certificate.empty() && !settings.client_ca.empty())
        throw std::runtime_error{"http_client_ca needs http_certificate and http_key"};
    if (settings.client_ca.empty() && !settings.client_crl.empty())
        throw std::runtime_error{"http_client_crl is for http_client_ca"};
    return settings;
}

std::string read_token(Feeding& feeding) {
    const auto file = feeding.path("http_token");
    if (file.empty()) {
        if (feeding.path("http_client_ca").empty())
            throw std::runtime_error{
                "http_listen needs http_token, http_client_ca or both: else anybody could publish"};
        return {};
    }
    std::string token = crypto::read_private_file(file);
    while (token.ends_with('\n')) token.pop_back();
    if (token.size() < token_size_min)
        throw std::runtime_error{file.string() + ": is shorter than " + std::to_string(token_size_min) +
                                 " characters"};
    return token;
}

/// Says once of each name in the folder that nobody will ever take it: somebody may believe that it was sent.
class LeftAlone {
public:
    void tell(const Spool& spool) {
        const auto now = std::chrono::steady_clock::now();
        if (looked_ && now < *looked_ + look_again) return;
        looked_ = now;
        for (const auto& name : spool.left_alone())
            if (told_.insert(name).second)
                spdlog::warn(
                    "{}: is left alone. Taken are files whose names end in .csv, .ndjson, or .xml with a "
                    "mapping for "
                    "XML, in small letters; no links and no folders",
                    desk::printable(name));
    }

private:
    static constexpr std::chrono::seconds look_again{10};
    std::optional<std::chrono::steady_clock::time_point> looked_;
    std::set<std::string> told_;
};

/// POST /incidents for as long as it lives.
class Listening {
public:
    Listening(Feeding& feeding, const std::string& listen)
        : settings_{listen_on(feeding, listen)},
          endpoint_{feeding.intake(), read_token(feeding), feeding.waiting_max()},
          server_{endpoint_, settings_} {}

    void tell(std::ostream& out) const {
        out << "listening " << (settings_.certificate.empty() ? "http://" : "https://") << settings_.host
            << ":" << server_.port() << "/incidents" << std::endl;
    }
    void check() const { server_.check(); }

private:
    EndpointSettings settings_;
    Endpoint endpoint_;
    EndpointServer server_;
};

}  // namespace

int feed(const FeedOptions& options, std::ostream& out) {
    const desk::StopAtSignal stop;
    Feeding feeding{options.config, options.mapping};
    client::Box& box = feeding.desk().box();
    const auto folder = options.spool.empty() ? feeding.path("spool") : options.spool;
    const std::string listen = options.listen.empty() ? feeding.setting("http_listen") : options.listen;
    if (folder.empty() && (listen.empty() || options.once))
        throw std::runtime_error{"feed needs --spool FOLDER, --listen ADDRESS:PORT or both"};
    std::optional<Spool> spool;
    if (!folder.empty()) spool.emplace(folder, feeding.intake().force(), feeding.mapping());
    std::optional<Listening> listening;
    if (!listen.empty() && !options.once) listening.emplace(feeding, listen).tell(out);

    Totals totals;
    LeftAlone left_alone;
    const auto refused_before = box.counts().refused;
    while (!stop.token().stop_requested()) {
        feeding.sender().check();
        if (listening) listening->check();
        const bool full = feeding.intake().has_waiting(feeding.waiting_max());
        if (const auto report = spool && !full ? spool->next(feeding.intake()) : std::nullopt) {
            tell_log(*report);
            totals.add(*report);
            continue;
        }
        if (spool && !full) left_alone.tell(*spool);
        if (options.once && !full && box.counts().waiting == 0) break;
        if (spool && !full)
            spool->wait(turn);
        else
            std::this_thread::sleep_for(turn);
    }
    listening.reset();
    const auto counts = box.counts();
    if (options.json)
        desk::print_json(report_of(totals, counts), out);
    else
        tell(totals, counts, folder, out);
    const auto refused = counts.refused - refused_before;
    if (refused != 0)
        spdlog::error("{} incidents were refused by the broker and will not be sent: see status", refused);
    return options.once && counts.waiting + refused != 0 ? 1 : 0;
}

}  // namespace flagpost::police
