// engine/engine.hpp - the whole public interface.
#pragma once

#include <engine/array.hpp>
#include <engine/backend.hpp>
#include <engine/device.hpp>
#include <engine/error.hpp>
#include <engine/evaluate.hpp>
#include <engine/expr.hpp>
#include <engine/functions.hpp>
#include <engine/graph.hpp>
#include <engine/memory.hpp>
#include <engine/options.hpp>
#include <engine/stencil.hpp>
#include <engine/threads.hpp>
