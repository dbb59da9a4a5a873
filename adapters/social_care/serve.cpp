#include "adapters/social_care/serve.h"

#include <spdlog/spdlog.h>

#include <charconv>
#include <ostream>
#include <stdexcept>

#include "adapters/social_care/pages.h"
#include "adapters/web/settings.h"

namespace flagpost::social_care {
namespace {

constexpr auto flag_list_setting = "flag_list_hours_max";
constexpr auto historic_setting = "historic_months";

std::uint32_t number_of(const client::Config& config, const char* name, std::uint32_t otherwise) {
    const auto found = config.extra.find(name);
    if (found == config.extra.end()) return otherwise;
    std::uint32_t number = 0;
    const char* end = found->second.data() + found->second.size();
    const auto [rest, error] = std::from_chars(found->second.data(), end, number);
    if (error != std::errc{} || rest != end)
        throw std::runtime_error{std::string{name} + ": should be a whole number"};
    return number;
}

PageSettings settings_of(const client::Config& config) {
    const PageSettings usual;
    return {number_of(config, flag_list_setting, usual.flag_list_hours_max),
            number_of(config, historic_setting, usual.historic_months)};
}

}  // namespace

const std::vector<std::string>& page_settings() {
    static const std::vector<std::string> names = [] {
        auto all = web::setting_names();
        all.insert(all.end(), {flag_list_setting, historic_setting});
        return all;
    }();
    return names;
}

int serve(const Call& call, std::ostream& out) {
    const desk::StopAtSignal stop;
    desk::Desk desk{call.config, {"social-care"}, page_settings()};
    const auto settings = web::read_settings(desk.config(), call.config);
    web::People people{settings.people, roles()};
    SystemClock clock;
    crypto::SystemRandom random;
    web::Site site{settings.site, people, clock, random};
    web::Journal journal{settings.journal};
    web::Reader reader{desk.config().data, clock, random};
    web::Handover handover;
    const Pages pages{site, reader, handover, journal, people, settings_of(desk.config())};
    web::serve_beside(desk, site, settings, handover, stop.token(), out);
    return 0;
}

int add_person(const Call& call, const NewPerson& wanted, std::ostream& out) {
    const auto config = client::load_config(call.config, page_settings());
    web::Person person;
    person.name = wanted.name;
    person.called = wanted.called;
    person.role = wanted.role;
    person.teams = {wanted.teams.begin(), wanted.teams.end()};
    const auto added = web::add_person(config, call.config, std::move(person), roles());
    web::say_added(wanted.name, added, call.json, out);
    return 0;
}

}  // namespace flagpost::social_care
