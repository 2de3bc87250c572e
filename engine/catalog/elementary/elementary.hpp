// catalog/elementary/elementary.hpp - all elementary functions.
#pragma once

#include "engine/catalog/elementary/cbrt.hpp"
#include "engine/catalog/elementary/erf.hpp"
#include "engine/catalog/elementary/exp.hpp"
#include "engine/catalog/elementary/fmod.hpp"
#include "engine/catalog/elementary/gamma.hpp"
#include "engine/catalog/elementary/hyperbolic.hpp"
#include "engine/catalog/elementary/hypot.hpp"
#include "engine/catalog/elementary/inverse_trig.hpp"
#include "engine/catalog/elementary/log.hpp"
#include "engine/catalog/elementary/logaddexp.hpp"
#include "engine/catalog/elementary/pow.hpp"
#include "engine/catalog/elementary/trig.hpp"
