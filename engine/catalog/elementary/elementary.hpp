// catalog/elementary/elementary.hpp - all elementary functions.
#pragma once

#include "engine/catalog/elementary/erf.hpp"
#include "engine/catalog/elementary/exp.hpp"
#include "engine/catalog/elementary/gamma.hpp"
#include "engine/catalog/elementary/hyperbolic.hpp"
#include "engine/catalog/elementary/log.hpp"
