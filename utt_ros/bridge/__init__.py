"""Between ROS messages and records: conversion, QoS, parameters, markers."""
