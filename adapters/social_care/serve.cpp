#include "adapters/social_care/serve.h"

#include <spdlog/spdlog.h>

#include <charconv>
#include <ostream>
#include <stdexcept>

#include "adapters/social_care/cover_pages.h"
#include "adapters/social_care/flag_folder.h"
#include "adapters/social_care/flag_pages.h"
#include "adapters/social_care/pages.h"
#include "adapters/social_care/report_pages.h"
#include "adapters/social_care/staff_kind.h"
#include "adapters/web/settings.h"

namespace flagpost::social_care {
namespace {

constexpr auto flag_list_setting = "flag_list_hours_max";
constexpr auto historic_setting = "historic_months";
constexpr auto shrink_setting = "flags_shrink_percent_max";
constexpr auto folder_setting = "flags_folder";
constexpr auto dfe_la_setting = "dfe_la_code";

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

/// For the report. That it cannot be noted must not end the session.
void note_heard(web::Journal& journal, const client::AgentState& state) {
    if (!state.heard) return;
    try {
        journal.heard(*state.heard);
    } catch (const std::exception& error) {
        spdlog::error("that the broker was heard could not be noted: {}", error.what());
    }
}

}  // namespace

const std::vector<std::string>& page_settings() {
    static const std::vector<std::string> names = [] {
        auto all = web::setting_names();
        all.insert(all.end(),
                   {flag_list_setting, historic_setting, dfe_la_setting, shrink_setting, folder_setting});
        return all;
    }();
    return names;
}

std::string dfe_la_of(const client::Config& config) {
    const auto found = config.extra.find(dfe_la_setting);
    return found == config.extra.end() ? std::string{} : found->second;
}

FlagPageSettings flag_settings(const client::Config& config) {
    const FlagPageSettings usual;
    return {std::string{config.agency.code()}, dfe_la_of(config),
            number_of(config, flag_list_setting, usual.flag_list_hours_max),
            number_of(config, shrink_setting, usual.shrink_percent_max)};
}

desk::Desk::Turn watch(desk::Desk& desk, const std::filesystem::path& config_file, FlagBook& book) {
    const auto found = desk.config().extra.find(folder_setting);
    if (found == desk.config().extra.end() || found->second.empty()) return {};
    const auto folder = std::make_shared<FlagFolder>(config_file.parent_path() / found->second,
                                                     flag_settings(desk.config()), book);
    return [folder, &desk](const client::AgentState&) {
        const auto report = folder->next(desk.box(), desk.now(), desk.random());
        if (!report) return;
        switch (report->became) {
            case FlagFolder::Became::sent:
                return spdlog::info("flags: {} sent as load {}, {} records rejected", report->name,
                                    report->number, report->rejected);
            case FlagFolder::Became::waits_for_people:
                return spdlog::warn(
                    "flags: {} waits on the page Flags we send as load {}: people must look at it",
                    report->name, report->number);
            case FlagFolder::Became::known:
                return spdlog::info("flags: {} was taken over before, nothing changed", report->name);
            case FlagFolder::Became::unreadable:
                return spdlog::warn("flags: {} cannot be read, nothing changed: see rejects", report->name);
        }
    };
}

std::filesystem::path book_of(const client::Config& config) { return config.data.string() + ".flags"; }

int serve(const Call& call, std::ostream& out) {
    const desk::StopAtSignal stop;
    desk::Desk desk{call.config, {"social-care"}, page_settings()};
    web::require_alone(desk.config());
    const auto settings = web::read_settings(desk.config(), call.config);
    web::People people{settings.people, roles()};
    SystemClock clock;
    crypto::SystemRandom random;
    web::Site site{settings.site, people, clock, random};
    web::Journal journal{settings.journal};
    site.set_journal(journal);
    web::Reader reader{desk.config().data, clock, random};
    web::Handover handover;
    const PageSettings limits = settings_of(desk.config());
    FlagBook book{book_of(desk.config())};
    book.recover();
    Pages pages{site, reader, handover, journal, people, limits};
    const FlagPages flags{site, reader, handover, journal, book, flag_settings(desk.config())};
    const web::PeoplePages staff{
        site, journal, people, random, handover, desk.agency(), staff_kind(pages, people)};
    const CoverPages cover{site, journal, people, handover, desk.agency()};
    const ReportPages reports{
        site, reader, journal, book, std::string{desk.agency().code()}, limits.flag_list_hours_max};
    const auto folder = watch(desk, call.config, book);
    web::serve_beside(desk, site, people, settings, handover, stop.token(), out,
                      [&](const client::AgentState& state) {
                          note_heard(journal, state);
                          if (folder) folder(state);
                      });
    return 0;
}

int add_person(const Call& call, const NewPerson& wanted, std::ostream& out) {
    const auto config = client::load_config(call.config, page_settings());
    web::Person person;
    person.name = wanted.name;
    person.called = wanted.called;
    person.role = wanted.role;
    person.teams = {wanted.teams.begin(), wanted.teams.end()};
    const auto added = web::add_person(config, call.config, std::move(person), roles(),
                                       wanted.by.empty() ? web::own_account() : wanted.by, fault_in_name);
    web::say_added(wanted.name, added, call.json, out);
    return 0;
}

}  // namespace flagpost::social_care
