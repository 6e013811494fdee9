"""Scored recordings against those a model was trained on: is this still the data it was made for?"""
