#include "adapters/police/feeding.h"

#include <charconv>
#include <stdexcept>

#include "adapters/police/police.h"

namespace flagpost::police {
namespace {

constexpr std::chrono::milliseconds look_again{200};
constexpr std::uint64_t waiting_max_usual = 100'000;

std::optional<Mapping> mapping_of(const std::filesystem::path& file) {
    if (file.empty()) return std::nullopt;
    return Mapping::load(file);
}

std::uint64_t number_of(const std::string& text, const std::string& name, std::uint64_t otherwise) {
    if (text.empty()) return otherwise;
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || rest != end || number == 0)
        throw std::runtime_error{name + ": should be a whole number, 1 or more"};
    return number;
}

}  // namespace

const std::vector<std::string>& own_settings() {
    static const std::vector<std::string> names{
        "spool",    "mapping",        "http_listen",     "http_token", "http_certificate",
        "http_key", "http_client_ca", "http_client_crl", "outbox_max", "markers"};
    return names;
}

Sender::Sender(const std::filesystem::path& config)
    : desk_{config, agency_kinds, own_settings()},
      markers_{desk_.box(), markers_folder(config, desk_.config())},
      thread_{[this](const std::stop_token& stop) { run(stop); }} {}

void Sender::check() {
    if (ended_.wait_for(std::chrono::seconds{0}) == std::future_status::ready) ended_.get();
}

void Sender::run(const std::stop_token& stop) {
    try {
        // While a daemon serves the data file, it sends; when it ends, this thread takes over.
        const auto take = [this](const client::AgentState& state) {
            markers_.turn(state.deliveries, desk_.now());
        };
        while (!stop.stop_requested() && !desk_.try_serve(stop, take))
            std::this_thread::sleep_for(look_again);
        promise_.set_value();
    } catch (...) {
        promise_.set_exception(std::current_exception());
    }
}

Feeding::Feeding(const std::filesystem::path& config, const std::filesystem::path& mapping)
    : config_{config},
      desk_{config, agency_kinds, own_settings()},
      mapping_{mapping_of(mapping.empty() ? path("mapping") : mapping)},
      waiting_max_{number_of(setting("outbox_max"), config.string() + ": outbox_max", waiting_max_usual)},
      box_{desk_.config().data, clock_, random_},
      intake_{box_, std::string{desk_.agency().code()}, clock_},
      sender_{config} {}

std::string Feeding::setting(const std::string& name) const {
    const auto& extra = desk_.config().extra;
    const auto found = extra.find(name);
    return found == extra.end() ? std::string{} : found->second;
}

std::filesystem::path Feeding::path(const std::string& name) const {
    const std::string text = setting(name);
    return text.empty() ? std::filesystem::path{} : config_.parent_path() / text;
}

}  // namespace flagpost::police
