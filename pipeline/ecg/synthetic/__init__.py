"""Synthetic annotated ECG records: the dynamical model of McSharry et al. with arrhythmias.

References:
    McSharry et al., "A dynamical model for generating synthetic electrocardiogram signals",
    IEEE Trans. Biomed. Eng. 50(3), 2003 (ECGSYN).
    Sameni et al., "Multichannel ECG and noise modeling: application to maternal and fetal ECG
    signals", EURASIP J. Adv. Signal Process., 2007 (a dipole vector seen by several leads).
    Clifford, Nemati and Sameni, "An artificial vector model for generating abnormal
    electrocardiographic rhythms", Physiol. Meas. 31, 2010 (ectopic beats as shapes of their own).
"""

from pipeline.ecg.synthetic.records import write_records

__all__ = ["write_records"]
