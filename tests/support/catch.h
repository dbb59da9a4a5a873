/// Catch2, included here and nowhere else.
#pragma once

#include <catch2/catch.hpp>
