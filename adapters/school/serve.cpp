#include "adapters/school/serve.h"

#include <stdexcept>

#include "adapters/school/staff_kind.h"
#include "adapters/web/settings.h"

namespace flagpost::school {
int serve(const Call& call, std::ostream& out) {
    const desk::StopAtSignal stop;
    desk::Desk desk{call.config, agency_kinds(), own_settings()};
    web::require_alone(desk.config());
    auto settings = web::read_settings(desk.config(), call.config);
    settings.site.role_words = role_words();
    web::People people{settings.people, roles()};
    SystemClock clock;
    crypto::SystemRandom random;
    web::Site site{settings.site, people, clock, random};
    web::Journal journal{settings.journal};
    site.set_journal(journal);
    web::Reader reader{desk.config().data, clock, random};
    web::Handover handover;
    Pages pages{site, reader, handover, journal, people, desk.agency()};
    const web::PeoplePages staff{
        site, journal, people, random, handover, desk.agency(), staff_kind(pages, desk.agency())};
    web::serve_beside(desk, site, people, settings, handover, stop.token(), out,
                      notifying(desk, call.config));
    return 0;
}

int add_person(const Call& call, const NewPerson& wanted, std::ostream& out) {
    const auto config = client::load_config(call.config, own_settings());
    web::Person person;
    person.name = wanted.name;
    person.called = wanted.called;
    person.role = wanted.role;
    person.teams = {wanted.schools.begin(), wanted.schools.end()};
    if (const auto fault = fault_in_schools(person, config.agency); !fault.empty())
        throw std::runtime_error{"--school: " + fault};
    const auto added = web::add_person(config, call.config, std::move(person), roles(),
                                       wanted.by.empty() ? web::own_account() : wanted.by);
    web::say_added(wanted.name, added, call.json, out);
    return 0;
}

}  // namespace flagpost::school
